"use strict";
const https = require("node:https");
const pins = require("./pins.cjs");

pins.onFailure((failure) => console.log(`report ${failure.host} ${failure.refused}`));

function ask(target) {
  const [host, port] = [target.slice(0, target.lastIndexOf(":")), target.slice(target.lastIndexOf(":") + 1)];
  return new Promise((done) => {
    const request = https.get(
      {
        host: "127.0.0.1", port, servername: host, path: "/", headers: { host }, timeout: 20000,
        agent: new pins.PinnedAgent(), rejectUnauthorized: process.env.WEAKEN !== "yes",
      },
      (answer) => { answer.resume(); answer.on("end", () => done("ok")); answer.on("error", () => done("ok")); });
    request.on("error", (error) => done(`refused ${error.message}`));
  });
}

(async () => {
  for (const target of process.argv.slice(2)) console.log(`${target} ${await ask(target)}`);
})();
