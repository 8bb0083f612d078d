import { createHash, type Hash } from 'node:crypto';

/**
 * Digests, by which images refer to content: `sha256:` and the hash in lower-case hexadecimal (OCI image
 * specification, "Digests").
 */

/** A digest that {@link parseDigest} accepts, as text. */
export type Digest = string;

/** A digest in parts. */
export interface DigestParts {
	readonly algorithm: DigestAlgorithm;
	/** The hash, in lower-case hexadecimal. */
	readonly hex: string;
}

/** The hash functions that digests may use. */
export type DigestAlgorithm = 'sha256' | 'sha384' | 'sha512';

/** A text is no digest, or content does not have the digest that it was requested by. */
export class DigestError extends Error {
	override readonly name = 'DigestError';
}

const HEX_LENGTHS: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha384: 96, sha512: 128 };
const FORM = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

/** The parts of a digest. Throws {@link DigestError} with the texts of upstream's go-digest. */
export function parseDigest(text: string): DigestParts {
	const colon = text.indexOf(':');
	const name = text.slice(0, Math.max(colon, 0));
	const hex = text.slice(colon + 1);
	if (!isDigestAlgorithm(name)) {
		throw new DigestError(
			FORM.test(text) ? 'unsupported digest algorithm' : 'invalid checksum digest format',
		);
	}
	if (hex === '') throw new DigestError('invalid checksum digest format');
	if (hex.length !== HEX_LENGTHS[name]) throw new DigestError('invalid checksum digest length');
	if (!/^[0-9a-f]+$/.test(hex)) throw new DigestError('invalid checksum digest format');
	return { algorithm: name, hex };
}

/** Whether the text is a digest whose hash function is supported. */
export function isDigest(text: string): boolean {
	const hex = text.slice(text.indexOf(':') + 1);
	const name = text.slice(0, -hex.length - 1);
	return isDigestAlgorithm(name) && hex.length === HEX_LENGTHS[name] && /^[0-9a-f]+$/.test(hex);
}

/** The digest of `bytes`. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
	return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Computes the hash of content that arrives in pieces, and compares it with the expected digest. */
export class DigestVerifier {
	readonly expected: Digest;
	readonly #algorithm: DigestAlgorithm;
	readonly #hash: Hash;

	/** Throws {@link DigestError} if `expected` is no digest. */
	constructor(expected: Digest) {
		this.expected = expected;
		this.#algorithm = parseDigest(expected).algorithm;
		this.#hash = createHash(this.#algorithm);
	}

	/** Adds the next piece. */
	update(bytes: Uint8Array): void {
		this.#hash.update(bytes);
	}

	/** Throws {@link DigestError} unless the pieces have the expected digest. Call it once, after the last one. */
	verify(): void {
		const actual = `${this.#algorithm}:${this.#hash.digest('hex')}`;
		if (actual === this.expected) return;
		throw new DigestError(
			`unexpected commit digest ${actual}, expected ${this.expected}: failed precondition`,
		);
	}
}

function isDigestAlgorithm(name: string): name is DigestAlgorithm {
	return Object.hasOwn(HEX_LENGTHS, name);
}
