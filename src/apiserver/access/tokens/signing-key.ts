import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { readPrivateFile, writePrivateFile } from '../../../base/files/private-files.ts';

/** The key pair of the server, with which it signs and verifies the tokens of ServiceAccounts. */
export interface SigningKeyPair {
	/** The identifier in the header of each token: the SHA-256 of the public key. */
	readonly id: string;
	/** How it signs (RFC 7518): by the kind of the key, as upstream. */
	readonly algorithm: 'ES256' | 'RS256';
	readonly privateKey: KeyObject;
	readonly publicKey: KeyObject;
}

/** Where a {@link SigningKey} is kept. */
export interface SigningKeyOptions {
	/**
	 * The path of the file, which only its owner can read, in an existing folder. By default the key is kept in
	 * memory, and its tokens are valid until the server ends.
	 */
	readonly path?: string;
	/** Called with a message if the file held no key and was replaced. */
	readonly onReplaced: (message: string) => void;
}

/**
 * The server's key: an elliptic one on the curve P-256, since each Pod has a token, and RSA takes ten times as long to sign it.
 * An RSA key that is there already stays in use. It is read, or made, at its first use: many servers never need it.
 */
export class SigningKey {
	readonly #options: SigningKeyOptions;
	#pair: Promise<SigningKeyPair> | undefined;

	constructor(options: SigningKeyOptions) {
		this.#options = options;
	}

	/** Resolves to the key pair. Rejects with an UnusablePathError if the file cannot be read or written. */
	load(): Promise<SigningKeyPair> {
		this.#pair ??= this.#open().catch((error: unknown) => {
			// The next use tries again.
			this.#pair = undefined;
			throw error;
		});
		return this.#pair;
	}

	async #open(): Promise<SigningKeyPair> {
		const { path, onReplaced } = this.#options;
		const pem = path === undefined ? undefined : readPrivateFile(path);
		const kept = pem === undefined ? undefined : keyOf(pem);
		if (kept) return pairOf(kept);
		if (pem !== undefined) {
			onReplaced(
				`${path} is replaced: it is neither a key on the curve P-256 nor an RSA key of ${MODULUS_BITS} bits or more; the tokens of ServiceAccounts are no longer valid`,
			);
		}
		const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: CURVE });
		if (path !== undefined) {
			writePrivateFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
		}
		return pairOf(privateKey);
	}
}

const CURVE = 'P-256';
/** The curve's name in OpenSSL. */
const CURVE_OF_KEY = 'prime256v1';
const MODULUS_BITS = 2048;

/** The key in the PEM text; undefined if there is none that is fit for an algorithm. */
function keyOf(pem: string): KeyObject | undefined {
	try {
		const key = createPrivateKey(pem);
		return algorithmOf(key) === undefined ? undefined : key;
	} catch {
		return undefined;
	}
}

function algorithmOf({
	asymmetricKeyType: type,
	asymmetricKeyDetails: details,
}: KeyObject): SigningKeyPair['algorithm'] | undefined {
	if (type === 'ec' && details?.namedCurve === CURVE_OF_KEY) return 'ES256';
	return type === 'rsa' && (details?.modulusLength ?? 0) >= MODULUS_BITS ? 'RS256' : undefined;
}

function pairOf(privateKey: KeyObject): SigningKeyPair {
	const publicKey = createPublicKey(privateKey);
	const der = publicKey.export({ type: 'spki', format: 'der' });
	const id = createHash('sha256').update(der).digest('base64url');
	return { id, algorithm: algorithmOf(privateKey) ?? 'ES256', privateKey, publicKey };
}
