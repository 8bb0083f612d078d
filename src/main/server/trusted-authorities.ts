/**
 * Makes TLS connections of this process trust only the certificate authorities in their own options. Call it
 * before the first connection or listener.
 *
 * Otherwise Node parses its 150 bundled root certificates for the first TLS context of a process, even if its
 * options have an authority, and for a listener too: 25 ms of CPU at the start of a server and of each
 * command. (Node also parses them in a thread when node:tls is loaded, unless it runs with --use-openssl-ca.)
 */
export function trustNamedAuthoritiesOnly(): void {
	process.getBuiltinModule('node:tls').setDefaultCACertificates([]);
}
