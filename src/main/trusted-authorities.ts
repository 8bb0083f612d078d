import { setDefaultCACertificates } from 'node:tls';

/**
 * From here on a TLS connection of this process trusts the authorities that its options name, and no
 * others. Call it before the first one is made or listened for.
 *
 * Without it Node parses its 150 bundled root certificates for the first TLS context of a process, also
 * for one that names its own authority and for a listener's: 25 ms of CPU, at the start of a server and in
 * each command. (A thread does so already when node:tls is loaded, unless Node runs with --use-openssl-ca.)
 */
export function trustNamedAuthoritiesOnly(): void {
	setDefaultCACertificates([]);
}
