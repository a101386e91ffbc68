"""The C# class around the table of pins."""

CODE = r"""// Made by `pinwarden pin export --format dotnet`: make it again instead of changing it.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
#if NET5_0_OR_GREATER
using System.Net.Http;
#endif

namespace %NAMESPACE%
{
    /// <summary>A connection that does not meet its policy.</summary>
    public sealed class PinFailure
    {
        public string Host { get; internal set; }
        public string Reason { get; internal set; }
        public IReadOnlyList<string> Seen { get; internal set; }
        public bool Refused { get; internal set; }

        public override string ToString()
        {
            return "pins of " + Host + ": " + Reason + " (seen: " + string.Join(", ", Seen) + ")";
        }
    }

    /// <summary>
    /// The pins of this program. They are compared with the chain that .NET has built and
    /// verified, and only if it found nothing wrong with it.
    /// </summary>
    public static class PinSet
    {
        private static readonly bool RefuseUnpinned = %REFUSE%;

        private sealed class Policy
        {
            public bool IncludeSubdomains;
            public string[] Exclude;
            public bool Enforce;
            public string Expires;
            public string OnExpiry;
            public string[] Leaf;
            public string[] Ca;
            public string[] Forbidden;
        }

        private static readonly Dictionary<string, Policy> Policies = new Dictionary<string, Policy>
        {
%ROWS%
        };

        /// <summary>Told of every failure, also of those that are not refused.</summary>
        public static Action<PinFailure> Report = failure => { };

#if NET5_0_OR_GREATER
        /// <summary>A handler for HttpClient that is held to the pins.</summary>
        public static SocketsHttpHandler Handler()
        {
            var handler = new SocketsHttpHandler();
            handler.SslOptions.RemoteCertificateValidationCallback =
                (sender, certificate, chain, errors) => sender is SslStream stream
                    && Check(stream.TargetHostName, chain, errors, DateTime.UtcNow);
            return handler;
        }
#endif

        /// <summary>The callback of an SslStream that connects to a host.</summary>
        public static RemoteCertificateValidationCallback CallbackFor(string host)
        {
            return (sender, certificate, chain, errors) =>
                Check(host, chain, errors, DateTime.UtcNow);
        }

        /// <summary>Whether a connection to a host may go on.</summary>
        public static bool Check(string host, X509Chain chain, SslPolicyErrors errors, DateTime at)
        {
            // Pins are asked for besides everything else, never instead of it.
            if (errors != SslPolicyErrors.None || string.IsNullOrEmpty(host))
            {
                return false;
            }
            Policy policy = PolicyFor(PlainName(host));
            if (policy == null)
            {
                return !RefuseUnpinned
                    || Failed(host, "no policy is about this host", new string[0], true);
            }
            bool enforce = policy.Enforce;
            string day = at.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            if (policy.Expires != "" && string.CompareOrdinal(day, policy.Expires) > 0)
            {
                if (policy.OnExpiry == "open")
                {
                    return true;
                }
                if (policy.OnExpiry != "report-only")
                {
                    return Failed(host, "the policy has expired", new string[0], enforce);
                }
                enforce = false;
            }
            string[] seen = new string[0];
            string reason = "a certificate cannot be read";
            try
            {
                seen = chain == null
                    ? seen
                    : chain.ChainElements.Cast<X509ChainElement>()
                        .Select(each => PinOf(each.Certificate.RawData)).ToArray();
                reason = Fault(policy, seen);
            }
            catch (FormatException)
            {
                // What cannot be read is not a pass.
            }
            return reason == "" || Failed(host, reason, seen, enforce);
        }

        private static string Fault(Policy policy, string[] seen)
        {
            if (seen.Any(pin => policy.Forbidden.Contains(pin)))
            {
                return "a forbidden key is in the verified chain";
            }
            bool met = seen.Take(1).Any(pin => policy.Leaf.Contains(pin))
                || seen.Skip(1).Any(pin => policy.Ca.Contains(pin));
            return met ? "" : "no pinned key is in the verified chain";
        }

        // The one policy that decides: the host's own, else the nearest above it.
        private static Policy PolicyFor(string name)
        {
            IPAddress address;
            bool isAddress = IPAddress.TryParse(name, out address);
            for (string at = name; ;)
            {
                Policy found;
                if (Policies.TryGetValue(at, out found) && (at == name || found.IncludeSubdomains))
                {
                    bool excluded = found.Exclude.Any(each =>
                        name == each || name.EndsWith("." + each, StringComparison.Ordinal));
                    return excluded ? null : found;
                }
                int dot = at.IndexOf('.');
                if (dot < 0 || isAddress)
                {
                    return null;
                }
                at = at.Substring(dot + 1);
            }
        }

        // As A-labels, in lower case, without the final dot; raises for what is no name.
        private static string PlainName(string host)
        {
            string name = host.Trim('[', ']');
            IPAddress address;
            if (IPAddress.TryParse(name, out address))
            {
                return address.ToString();
            }
            if (name.EndsWith(".", StringComparison.Ordinal))
            {
                name = name.Substring(0, name.Length - 1);
            }
            bool ascii = name.All(c => c < 128);
            return (ascii ? name : new IdnMapping().GetAscii(name)).ToLowerInvariant();
        }

        // The SHA-256 of the SubjectPublicKeyInfo, cut out of a certificate in DER as it is.
        private static string PinOf(byte[] der)
        {
            int start, end;
            Element(der, 0, 0x30, out start, out end);
            if (end != der.Length)
            {
                throw new FormatException("not one certificate");
            }
            int at, tbsEnd;
            Element(der, start, 0x30, out at, out tbsEnd);
            if (der[at] == 0xa0)
            {
                at = After(der, at, 0xa0);
            }
            at = After(der, at, 0x02);
            for (int field = 0; field < 4; field++)
            {
                at = After(der, at, 0x30);
            }
            int spkiEnd = After(der, at, 0x30);
            if (spkiEnd > tbsEnd)
            {
                throw new FormatException("no public key");
            }
            using (SHA256 sha256 = SHA256.Create())
            {
                return Convert.ToBase64String(sha256.ComputeHash(der, at, spkiEnd - at));
            }
        }

        private static int After(byte[] der, int at, byte tag)
        {
            int start, end;
            Element(der, at, tag, out start, out end);
            return end;
        }

        // Where the content of an element begins and ends; DER alone (X.690 section 10.1).
        private static void Element(byte[] der, int at, byte tag, out int start, out int end)
        {
            if (at + 2 > der.Length || der[at] != tag)
            {
                throw new FormatException("not the expected element");
            }
            long length = der[at + 1];
            start = at + 2;
            if (length >= 0x80)
            {
                int octets = (int)length & 0x7f;
                if (octets < 1 || octets > 4 || start + octets > der.Length || der[start] == 0)
                {
                    throw new FormatException("not DER");
                }
                length = 0;
                for (int each = 0; each < octets; each++)
                {
                    length = length << 8 | der[start + each];
                }
                start += octets;
                if (length < 0x80)
                {
                    throw new FormatException("not DER");
                }
            }
            if (start + length > der.Length)
            {
                throw new FormatException("cut short");
            }
            end = start + (int)length;
        }

        private static bool Failed(string host, string reason, string[] seen, bool refused)
        {
            Report(new PinFailure { Host = host, Reason = reason, Seen = seen, Refused = refused });
            return !refused;
        }
    }
}
"""
