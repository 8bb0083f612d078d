import { textOfBase64 } from '../../../base/base64.ts';
import type { Secret } from './schema.ts';

/**
 * The warning about a TLS Secret whose certificate or key is no PEM text of its kind (upstream:
 * `warningsForSecret`, with the texts of Go's `tls.X509KeyPair`). Unlike upstream it does not compare the key
 * with the certificate: this layer has no cryptography.
 */
export function tlsWarnings({ type, data = {} }: Secret): readonly string[] {
	if (type !== 'kubernetes.io/tls') return [];
	const problem = pemProblem(textOfBase64(data['tls.crt'] ?? ''), textOfBase64(data['tls.key'] ?? ''));
	return problem === undefined ? [] : [problem];
}

/** Why the texts are no PEM of a certificate and of a private key; undefined if they are. */
export function pemProblem(certificate: string, key: string): string | undefined {
	return problemOfCertificate(blocksIn(certificate)) ?? problemOfKey(blocksIn(key));
}

/** The types of the PEM blocks in a text: `CERTIFICATE`, `RSA PRIVATE KEY`, … */
function blocksIn(text: string): readonly string[] {
	const blocks = text.matchAll(/^-----BEGIN ([^\n]*)-----[ \t\r]*\n[^-]*\n-----END \1-----[ \t\r]*$/gm);
	return [...blocks].map(([, name = '']) => name);
}

function problemOfCertificate(types: readonly string[]): string | undefined {
	if (types.includes('CERTIFICATE')) return undefined;
	if (types.length === 0) return 'tls: failed to find any PEM data in certificate input';
	if (types.length === 1 && types[0]?.endsWith('PRIVATE KEY')) {
		return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched';
	}
	return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${types.join(' ')}]`;
}

function problemOfKey(types: readonly string[]): string | undefined {
	if (types.some((type) => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY'))) return undefined;
	if (types.length === 0) return 'tls: failed to find any PEM data in key input';
	if (types.length === 1 && types[0] === 'CERTIFICATE') {
		return 'tls: found a certificate rather than a key in the PEM for the private key';
	}
	return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [${types.join(' ')}]`;
}
