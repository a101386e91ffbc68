"""The Dart library around the table of pins."""

CODE = r"""// Made by `pinwarden pin export --format flutter`: make it again instead of changing it.
//
// pubspec.yaml: dependencies: crypto: ^3.0.0

import 'dart:convert';
import 'dart:io';
import 'dart:typed_data';

import 'package:crypto/crypto.dart';

const bool _refuseUnpinned = %REFUSE%;

class _Policy {
  const _Policy({
    required this.includeSubdomains,
    required this.exclude,
    required this.enforce,
    required this.expires,
    required this.onExpiry,
    required this.leaf,
    required this.anchors,
  });

  final bool includeSubdomains;
  final List<String> exclude;
  final bool enforce;
  final String expires;
  final String onExpiry;
  final List<String> leaf;
  final String anchors;
}

const Map<String, _Policy> _policies = {
%ROWS%
};

/// A connection that does not meet its policy.
class PinFailure implements TlsException {
  const PinFailure(this.host, this.reason, this.seen, this.refused);

  final String host;
  final String reason;
  final String seen;
  final bool refused;

  @override
  String get type => 'PinFailure';

  @override
  String get message => 'pins of $host: $reason (seen: $seen)';

  @override
  OSError? get osError => null;

  @override
  String toString() => message;
}

/// Told of every failure, also of those that are not refused.
void Function(PinFailure) onPinFailure = (failure) {};

/// A client whose connections are held to the pins before the first byte of a request.
///
/// Hand it to package:http as `IOClient(pinnedClient())`, to dio through its
/// `IOHttpClientAdapter`, or to everything with `HttpOverrides`.
HttpClient pinnedClient({SecurityContext? context}) {
  final client = HttpClient(context: context);
  client.connectionFactory = (Uri url, String? proxyHost, int? proxyPort) async {
    if (!url.isScheme('https')) {
      return Socket.startConnect(proxyHost ?? url.host, proxyPort ?? url.port);
    }
    if (proxyHost != null) {
      // HttpClient puts TLS into the proxy's tunnel itself, where nothing can look at it.
      if (_refuseUnpinned || _policyFor(_plainName(url.host)) != null) {
        throw _failed(url.host, 'a pinned host cannot be reached through a proxy', '', true);
      }
      return Socket.startConnect(proxyHost, proxyPort!);
    }
    return ConnectionTask.fromSocket(_connect(url.host, url.port, context), () {});
  };
  return client;
}

Future<SecureSocket> _connect(String host, int port, SecurityContext? context) async {
  final policy = _policyFor(_plainName(host));
  if (policy == null) {
    if (_refuseUnpinned) throw _failed(host, 'no policy is about this host', '', true);
    return SecureSocket.connect(host, port, context: context);
  }
  var enforce = policy.enforce;
  final today = DateTime.now().toUtc().toIso8601String().substring(0, 10);
  if (policy.expires != '' && today.compareTo(policy.expires) > 0) {
    if (policy.onExpiry == 'open') return SecureSocket.connect(host, port, context: context);
    if (policy.onExpiry != 'report-only') {
      final failure = _failed(host, 'the policy has expired', '', enforce);
      if (enforce) throw failure;
      return SecureSocket.connect(host, port, context: context);
    }
    enforce = false;
  }
  var seen = '';
  if (policy.leaf.isNotEmpty) {
    final socket = await SecureSocket.connect(host, port, context: context);
    final der = socket.peerCertificate?.der;
    try {
      seen = der == null ? '' : _pinOf(der);
    } on FormatException {
      // What cannot be read is not a pass.
    }
    if (policy.leaf.contains(seen)) return socket;
    socket.destroy();
  }
  if (policy.anchors != '') {
    final pinned = SecurityContext(withTrustedRoots: false)
      ..setTrustedCertificatesBytes(utf8.encode(policy.anchors));
    try {
      return await SecureSocket.connect(host, port, context: pinned);
    } on HandshakeException {
      // Its chain does not end at a pinned authority.
    }
  }
  final failure = _failed(host, 'no pinned key is in the chain', seen, enforce);
  if (enforce) throw failure;
  return SecureSocket.connect(host, port, context: context);
}

PinFailure _failed(String host, String reason, String seen, bool refused) {
  final failure = PinFailure(host, reason, seen, refused);
  onPinFailure(failure);
  return failure;
}

String _plainName(String host) {
  final name = host.toLowerCase().replaceFirst(RegExp(r'\.$'), '');
  return InternetAddress.tryParse(name)?.address ?? name;
}

/// The one policy that decides: the host's own, else the nearest above it.
_Policy? _policyFor(String name) {
  final isAddress = InternetAddress.tryParse(name) != null;
  for (var at = name;;) {
    final found = _policies[at];
    if (found != null && (at == name || found.includeSubdomains)) {
      final excluded = found.exclude.any((each) => name == each || name.endsWith('.$each'));
      return excluded ? null : found;
    }
    final dot = at.indexOf('.');
    if (dot < 0 || isAddress) return null;
    at = at.substring(dot + 1);
  }
}

/// The SHA-256 of the SubjectPublicKeyInfo, cut out of a certificate in DER as it is.
String _pinOf(Uint8List der) {
  final whole = _element(der, 0, 0x30);
  if (whole.end != der.length) throw const FormatException('not one certificate');
  final tbs = _element(der, whole.start, 0x30);
  var at = tbs.start;
  if (der[at] == 0xa0) at = _element(der, at, 0xa0).end;
  at = _element(der, at, 0x02).end;
  for (var field = 0; field < 4; field++) {
    at = _element(der, at, 0x30).end;
  }
  final spki = _element(der, at, 0x30);
  if (spki.end > tbs.end) throw const FormatException('no public key');
  return base64.encode(sha256.convert(der.sublist(at, spki.end)).bytes);
}

class _Element {
  const _Element(this.start, this.end);

  final int start;
  final int end;
}

/// Where the content of an element begins and ends; DER alone (X.690 section 10.1).
_Element _element(Uint8List der, int at, int tag) {
  if (at + 2 > der.length || der[at] != tag) {
    throw const FormatException('not the expected element');
  }
  var length = der[at + 1];
  var start = at + 2;
  if (length >= 0x80) {
    final octets = length & 0x7f;
    if (octets < 1 || octets > 4 || start + octets > der.length || der[start] == 0) {
      throw const FormatException('not DER');
    }
    length = 0;
    for (var each = 0; each < octets; each++) {
      length = length << 8 | der[start + each];
    }
    start += octets;
    if (length < 0x80) throw const FormatException('not DER');
  }
  if (start + length > der.length) throw const FormatException('cut short');
  return _Element(start, start + length);
}
"""
