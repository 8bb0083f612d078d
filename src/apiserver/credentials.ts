import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAuthority, makeServerCertificate } from './certificates.ts';

/** What a server shows and what its clients show it. All PEM text, except the token. */
export interface Credentials {
	/** The authority that clients trust; goes into kubeconfigs. */
	readonly caPem: string;
	readonly certificatePem: string;
	readonly keyPem: string;
	/** The bearer token of the one user there is. */
	readonly token: string;
}

/** How long before its end a certificate is made anew. */
const RENEWAL_MS = 30 * 24 * 3_600_000;

/**
 * The credentials kept in `folder`, made as far as they are missing or about to expire. The folder and
 * its files are for their owner only. The authority stays as long as it can, so that the kubeconfigs
 * which are out there go on working. Throws the system's error if the folder cannot be read or written.
 */
export function loadCredentials(folder: string, now: number): Credentials {
	mkdirSync(folder, { recursive: true, mode: 0o700 });
	const path = (name: string): string => join(folder, name);
	const kept = readAll(folder);
	const token = kept.token ?? writeSecret(path(TOKEN), randomBytes(32).toString('base64url'));
	const { caPem, caKeyPem, certificatePem, keyPem } = kept;
	if (caPem && caKeyPem && isLasting(caPem, now)) {
		if (certificatePem && keyPem && isLasting(certificatePem, now) && isSignedBy(certificatePem, caPem)) {
			return { caPem, certificatePem, keyPem, token };
		}
	}
	const authority =
		caPem && caKeyPem && isLasting(caPem, now)
			? { certificatePem: caPem, keyPem: caKeyPem }
			: makeAuthority(now);
	const server = makeServerCertificate(authority, now);
	writeSecret(path(CA_KEY), authority.keyPem);
	writeSecret(path(CA), authority.certificatePem);
	writeSecret(path(KEY), server.keyPem);
	writeSecret(path(CERTIFICATE), server.certificatePem);
	return { caPem: authority.certificatePem, ...server, token };
}

const CA = 'ca.crt';
const CA_KEY = 'ca.key';
const CERTIFICATE = 'server.crt';
const KEY = 'server.key';
const TOKEN = 'token';

interface Kept {
	readonly caPem: string | undefined;
	readonly caKeyPem: string | undefined;
	readonly certificatePem: string | undefined;
	readonly keyPem: string | undefined;
	readonly token: string | undefined;
}

function readAll(folder: string): Kept {
	const read = (name: string): string | undefined => readText(join(folder, name));
	return {
		caPem: read(CA),
		caKeyPem: read(CA_KEY),
		certificatePem: read(CERTIFICATE),
		keyPem: read(KEY),
		token: read(TOKEN)?.trim() || undefined,
	};
}

function readText(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
		throw error;
	}
}

/** Writes a file beside the place and moves it there, so that nobody ever reads half of it. */
function writeSecret(path: string, text: string): string {
	const draft = `${path}.new`;
	writeFileSync(draft, text, { mode: 0o600 });
	renameSync(draft, path);
	return text;
}

function isLasting(pem: string, now: number): boolean {
	const certificate = parse(pem);
	return certificate !== undefined && certificate.validToDate.getTime() - RENEWAL_MS > now;
}

function isSignedBy(pem: string, caPem: string): boolean {
	const authority = parse(caPem);
	return authority !== undefined && (parse(pem)?.verify(authority.publicKey) ?? false);
}

/** A certificate, or undefined for text that is none: then it is made anew. */
function parse(pem: string): X509Certificate | undefined {
	try {
		return new X509Certificate(pem);
	} catch {
		return undefined;
	}
}
