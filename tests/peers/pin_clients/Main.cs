using System;
using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

public static class Program
{
    public static void Main(string[] targets)
    {
        Pins.PinSet.Report = failure => Console.WriteLine("report " + failure.Host + " " + failure.Refused);
        foreach (string target in targets)
        {
            int colon = target.LastIndexOf(':');
            string host = target.Substring(0, colon);
            try
            {
                using (var plain = new TcpClient("127.0.0.1", int.Parse(target.Substring(colon + 1))))
                using (var tls = new SslStream(plain.GetStream(), false, Pins.PinSet.CallbackFor(host)))
                {
                    tls.AuthenticateAsClient(host, null, SslProtocols.Tls12, false);
                    byte[] said = Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
                    tls.Write(said, 0, said.Length);
                    tls.Flush();
                    tls.Read(new byte[1], 0, 1);
                    Console.WriteLine(target + " ok");
                }
            }
            catch (Exception error)
            {
                Console.WriteLine(target + " refused " + error.Message.Replace("\n", " "));
            }
        }
    }
}
