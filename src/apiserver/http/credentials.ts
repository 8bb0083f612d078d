import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { openPrivateFolder, readPrivateFile, writePrivateFile } from '../../base/files/private-files.ts';
import { type KeyedCertificate, makeAuthority, makeServerCertificate } from './certificates.ts';

/** The credentials of a server and of its clients: PEM text, except the token. */
export interface Credentials {
	/** Certificate of the authority that clients trust; kubeconfigs contain it. */
	readonly caPem: string;
	readonly certificatePem: string;
	readonly keyPem: string;
	/** The bearer token of the server's only user. */
	readonly token: string;
}

/** Which credentials a server needs. */
export interface CredentialOptions {
	/** The IPv4 addresses besides the loopback ones for which its certificate must be valid. */
	readonly addresses?: readonly string[];
	/** Called with a message for each damaged file that was replaced. */
	onReplaced?(what: string): void;
}

/** A certificate is renewed at the first start within this time before its expiry. */
const RENEWAL_MS = 30 * 24 * 3_600_000;

/**
 * Loads the credentials from `folder`, and makes those that are missing, damaged or about to expire. The
 * folder and its files are accessible to their owner only. The authority is kept as long as possible, so that
 * kubeconfigs copied to other machines keep working. Throws an UnusablePathError if the folder or a file cannot be read
 * or written.
 */
export function loadCredentials(
	folder: string,
	now: number,
	{ addresses = [], onReplaced = () => undefined }: CredentialOptions = {},
): Credentials {
	openPrivateFolder(folder);
	const files = new CredentialFiles(folder, onReplaced);
	const token = files.token();
	const authority = files.authority(now);
	const loaded = authority && files.server(authority.certificatePem, now);
	const kept = loaded && isFor(loaded.certificatePem, addresses) ? loaded : undefined;
	if (authority && kept) return { caPem: authority.certificatePem, ...kept, token };
	const issuer = files.issuer(authority) ?? makeAuthority(now);
	const server = makeServerCertificate(issuer, now, addresses);
	files.write(CA_KEY, issuer.keyPem);
	files.write(CA, issuer.certificatePem);
	files.write(KEY, server.keyPem);
	files.write(CERTIFICATE, server.certificatePem);
	return { caPem: issuer.certificatePem, ...server, token };
}

const CA = 'ca.crt';
const CA_KEY = 'ca.key';
const CERTIFICATE = 'server.crt';
const KEY = 'server.key';
const TOKEN = 'token';

const COPIES = 'kubeconfigs that were copied to other places must be copied again';

/** Characters of a bearer token (RFC 6750). At least 16 of them: a shorter one could be guessed. */
const USABLE_TOKEN = /^[A-Za-z0-9._~+/-]{16,}=*$/;

/**
 * Reads and writes the files of a credentials folder. Each method returns a valid credential or undefined.
 */
class CredentialFiles {
	readonly #folder: string;
	readonly #onReplaced: (what: string) => void;

	constructor(folder: string, onReplaced: (what: string) => void) {
		this.#folder = folder;
		this.#onReplaced = onReplaced;
	}

	/** The token; makes a new one if it is missing or not valid. */
	token(): string {
		const kept = this.#read(TOKEN)?.trim();
		if (kept !== undefined && USABLE_TOKEN.test(kept)) return kept;
		if (kept !== undefined) this.#replaced(TOKEN, 'it does not contain a token of at least 16 characters');
		const token = randomBytes(32).toString('base64url');
		this.write(TOKEN, token);
		return token;
	}

	/** The authority's certificate; undefined if it is missing, damaged or about to expire. */
	authority(
		now: number,
	): { readonly certificatePem: string; readonly certificate: X509Certificate } | undefined {
		const certificatePem = this.#read(CA);
		if (certificatePem === undefined) return undefined;
		const certificate = certificateOf(certificatePem);
		if (!certificate?.ca) {
			this.#replaced(CA, `it is not the certificate of an authority; ${COPIES}`);
			return undefined;
		}
		return isLasting(certificate, now) ? { certificatePem, certificate } : undefined;
	}

	/**
	 * The server's certificate and key; undefined if they are missing, damaged, signed by another authority or
	 * about to expire.
	 */
	server(
		caPem: string,
		now: number,
	): { readonly certificatePem: string; readonly keyPem: string } | undefined {
		const certificatePem = this.#read(CERTIFICATE);
		const keyPem = this.#read(KEY);
		if (certificatePem === undefined || keyPem === undefined) return undefined;
		const certificate = certificateOf(certificatePem);
		const key = keyOf(keyPem);
		if (!certificate) this.#replaced(CERTIFICATE, 'it is not a certificate');
		else if (!key) this.#replaced(KEY, 'it is not a private key');
		else if (!certificate.checkPrivateKey(key)) this.#replaced(KEY, `it is not the key of ${CERTIFICATE}`);
		else if (!isSignedBy(certificate, caPem)) this.#replaced(CERTIFICATE, `it is not signed by ${CA}`);
		else if (isLasting(certificate, now)) return { certificatePem, keyPem };
		return undefined;
	}

	/** The authority with its key, for signing; undefined if the key is missing or damaged. */
	issuer(authority: ReturnType<CredentialFiles['authority']>): KeyedCertificate | undefined {
		if (!authority) return undefined;
		const { certificatePem, certificate } = authority;
		const keyPem = this.#read(CA_KEY);
		const key = keyPem === undefined ? undefined : keyOf(keyPem);
		if (keyPem !== undefined && key && certificate.checkPrivateKey(key)) return { certificatePem, keyPem };
		const problem =
			keyPem === undefined ? 'it is missing' : key ? `it is not the key of ${CA}` : 'it is not a private key';
		this.#replaced(CA_KEY, `${problem}; ${CA} is replaced as well, and ${COPIES}`);
		return undefined;
	}

	write(name: string, text: string): void {
		writePrivateFile(join(this.#folder, name), text);
	}

	#read(name: string): string | undefined {
		return readPrivateFile(join(this.#folder, name));
	}

	#replaced(name: string, problem: string): void {
		this.#onReplaced(`${join(this.#folder, name)} is replaced: ${problem}`);
	}
}

function isFor(certificatePem: string, addresses: readonly string[]): boolean {
	const certificate = new X509Certificate(certificatePem);
	return addresses.every((address) => certificate.checkIP(address) !== undefined);
}

function isLasting(certificate: X509Certificate, now: number): boolean {
	return certificate.validToDate.getTime() - RENEWAL_MS > now;
}

function isSignedBy(certificate: X509Certificate, caPem: string): boolean {
	const authority = certificateOf(caPem);
	return authority !== undefined && certificate.verify(authority.publicKey);
}

function certificateOf(pem: string): X509Certificate | undefined {
	try {
		return new X509Certificate(pem);
	} catch {
		return undefined;
	}
}

function keyOf(pem: string): KeyObject | undefined {
	try {
		return createPrivateKey(pem);
	} catch {
		return undefined;
	}
}
