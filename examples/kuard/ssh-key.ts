import { createHash, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

/** Generates an RSA key of `bits` in another thread. Resolves to its fingerprint as `ssh-keygen -l` prints it. */
export async function makeKey(bits: number): Promise<string> {
	const { publicKey } = await generate('rsa', { modulusLength: bits });
	return fingerprint(publicKey);
}

/** The SHA-256 fingerprint of an RSA key in SSH's wire format: type, exponent and modulus. */
export function fingerprint(publicKey: KeyObject): string {
	const { e = '', n = '' } = publicKey.export({ format: 'jwk' });
	const numbers = [e, n].map((text) => positive(Buffer.from(text, 'base64url')));
	const blob = Buffer.concat([Buffer.from('ssh-rsa'), ...numbers].map(withLength));
	return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Adds a zero byte if the first bit is set: SSH would read the number as negative otherwise. */
function positive(bytes: Buffer): Buffer {
	return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}

function withLength(bytes: Buffer): Buffer {
	const length = Buffer.alloc(4);
	length.writeUInt32BE(bytes.length);
	return Buffer.concat([length, bytes]);
}
