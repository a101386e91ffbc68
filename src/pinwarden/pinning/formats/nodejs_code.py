"""The Node.js module around the table of pins."""

CODE = r"""// Made by `pinwarden pin export --format nodejs`: make it again instead of changing it.
"use strict";

const crypto = require("node:crypto");
const https = require("node:https");
const net = require("node:net");
const tls = require("node:tls");

const REFUSE_UNPINNED = %REFUSE%;

const POLICIES = new Map([
%ROWS%
]);

/** A connection that does not meet its policy. */
class PinError extends Error {
  constructor(host, reason, seen, refused) {
    super(`pins of ${host}: ${reason} (seen: ${seen.join(", ")})`);
    this.name = "PinError";
    this.code = "ERR_PINS";
    this.host = host;
    this.reason = reason;
    this.seen = seen;
    this.refused = refused;
  }
}

let report = () => {};

/** Have every failure told to a function, also those that are not refused. */
function onFailure(told) {
  report = told;
}

/**
 * An agent for node:https that is held to the pins, whatever the options of a request say.
 * Sessions are not resumed, because Node.js asks nobody about a resumed one.
 */
class PinnedAgent extends https.Agent {
  constructor(options = {}) {
    super({ ...options, maxCachedSessions: 0 });
  }

  createConnection(options, told) {
    return super.createConnection(pinned(options), told);
  }
}

/** The options of tls.connect() with the pins in them. */
function pinned(options) {
  const verify = options.checkServerIdentity || tls.checkServerIdentity;
  return {
    ...options,
    rejectUnauthorized: true,
    session: undefined,
    checkServerIdentity: (host, certificate) =>
      verify(host, certificate) || checkPins(host, certificate),
  };
}

/**
 * For the option checkServerIdentity of any client that takes it, where sessions are not
 * resumed (undici: new Agent({ maxCachedSessions: 0, connect: { checkServerIdentity } })).
 */
function checkServerIdentity(host, certificate) {
  return tls.checkServerIdentity(host, certificate) || checkPins(host, certificate);
}

/** The error of a connection that may not go on, else undefined. */
function checkPins(host, certificate, at = new Date()) {
  const policy = policyFor(plainName(host));
  if (policy === undefined) {
    return REFUSE_UNPINNED ? failed(host, "no policy is about this host", [], true) : undefined;
  }
  let enforce = policy.enforce;
  if (policy.expires !== "" && at.toISOString().slice(0, 10) > policy.expires) {
    if (policy.onExpiry === "open") return undefined;
    if (policy.onExpiry !== "report-only") {
      return failed(host, "the policy has expired", [], enforce);
    }
    enforce = false;
  }
  let seen = [];
  let reason = "a certificate cannot be read";
  try {
    seen = signedPath(certificate).map((each) => pinOf(each.raw));
    reason = fault(policy, seen);
  } catch {
    // What cannot be read is not a pass.
  }
  return reason === "" ? undefined : failed(host, reason, seen, enforce);
}

function fault(policy, seen) {
  if (seen.some((pin) => policy.forbidden.includes(pin))) {
    return "a forbidden key is in the chain";
  }
  const met = seen.some((pin, position) =>
    (position === 0 ? policy.leaf : policy.ca).includes(pin));
  return met ? "" : "no pinned key is in the chain";
}

/**
 * The certificates from the server's own upwards, each of which has signed the one before.
 *
 * Node.js does not tell the chain that it verified. What it links together for us is what
 * the server sent, by names alone, and a server may send certificates that fit by name; so
 * every signature is verified here, and where one is wrong the path ends.
 */
function signedPath(certificate) {
  if (!certificate || !certificate.raw) return [];
  const path = [new crypto.X509Certificate(certificate.raw)];
  for (let at = certificate; path.length < 20; at = at.issuerCertificate) {
    const above = at.issuerCertificate;
    if (!above || !above.raw || above.raw.equals(at.raw)) break;
    const issuer = new crypto.X509Certificate(above.raw);
    const below = path[path.length - 1];
    if (!issuer.ca || !below.checkIssued(issuer) || !below.verify(issuer.publicKey)) break;
    path.push(issuer);
  }
  return path;
}

/** The SHA-256 of the SubjectPublicKeyInfo, cut out of a certificate in DER as it is. */
function pinOf(der) {
  const whole = element(der, 0, 0x30);
  if (whole.end !== der.length) throw new RangeError("not one certificate");
  const tbs = element(der, whole.start, 0x30);
  let at = tbs.start;
  if (der[at] === 0xa0) at = element(der, at, 0xa0).end;
  at = element(der, at, 0x02).end;
  for (let field = 0; field < 4; field += 1) at = element(der, at, 0x30).end;
  const spki = element(der, at, 0x30);
  if (spki.end > tbs.end) throw new RangeError("no public key");
  return crypto.createHash("sha256").update(der.subarray(at, spki.end)).digest("base64");
}

/** Where the content of an element begins and ends; DER alone (X.690 section 10.1). */
function element(der, at, tag) {
  if (at + 2 > der.length || der[at] !== tag) throw new RangeError("not the expected element");
  let length = der[at + 1];
  let start = at + 2;
  if (length >= 0x80) {
    const octets = length & 0x7f;
    if (octets < 1 || octets > 4 || start + octets > der.length || der[start] === 0) {
      throw new RangeError("not DER");
    }
    length = der.readUIntBE(start, octets);
    start += octets;
    if (length < 0x80) throw new RangeError("not DER");
  }
  if (start + length > der.length) throw new RangeError("cut short");
  return { start, end: start + length };
}

function plainName(host) {
  const name = String(host).toLowerCase().replace(/\.$/, "").replace(/^\[|\]$/g, "");
  if (net.isIPv6(name)) return new URL(`http://[${name}]/`).hostname.slice(1, -1);
  return name;
}

/** The one policy that decides: the host's own, else the nearest above it. */
function policyFor(name) {
  for (let at = name, own = true; ; own = false) {
    const found = POLICIES.get(at);
    if (found !== undefined && (own || found.includeSubdomains)) {
      const excluded = found.exclude.some((each) => name === each || name.endsWith(`.${each}`));
      return excluded ? undefined : found;
    }
    const dot = at.indexOf(".");
    if (dot < 0 || net.isIP(name)) return undefined;
    at = at.slice(dot + 1);
  }
}

function failed(host, reason, seen, refused) {
  const error = new PinError(host, reason, seen, refused);
  report(error);
  return refused ? error : undefined;
}

module.exports = { PinError, PinnedAgent, checkPins, checkServerIdentity, onFailure, pinned };
"""
