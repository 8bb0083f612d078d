import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
	AuthorityKeyIdentifierExtension,
	BasicConstraintsExtension,
	cryptoProvider,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	KeyUsageFlags,
	KeyUsagesExtension,
	SubjectAlternativeNameExtension,
	SubjectKeyIdentifierExtension,
	X509Certificate,
	X509CertificateGenerator,
} from '@peculiar/x509';

/**
 * Makes certificates. Loading this module takes some 100 ms, so it is imported only where one is
 * missing (see credentials.ts).
 */

/** A certificate and its private key, in PEM. */
export interface KeyedCertificate {
	readonly certificatePem: string;
	readonly keyPem: string;
}

const DAY_MS = 24 * 3_600_000;

/** The authority outlives the machine's kubeconfigs; a server's certificate is made anew at a start. */
const AUTHORITY_DAYS = 3650;
const SERVER_DAYS = 825;

/** Clocks may differ a little. */
const BACKDATED_MS = 3_600_000;

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const SERVER_NAMES = [
	{ type: 'dns', value: 'localhost' },
	{ type: 'ip', value: '127.0.0.1' },
	{ type: 'ip', value: '::1' },
	{ type: 'dns', value: 'kubernetes' },
	{ type: 'dns', value: 'kubernetes.default' },
	{ type: 'dns', value: 'kubernetes.default.svc' },
	{ type: 'dns', value: 'kubernetes.default.svc.cluster.local' },
] as const;

/** Makes an authority that signs itself. */
export async function makeAuthority(now: number): Promise<KeyedCertificate> {
	cryptoProvider.set(webcrypto);
	const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
	const certificate = await X509CertificateGenerator.createSelfSigned({
		name: 'CN=stint-ca',
		keys,
		signingAlgorithm: ALGORITHM,
		...validity(now, AUTHORITY_DAYS),
		extensions: [
			new BasicConstraintsExtension(true, 0, true),
			new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
			await SubjectKeyIdentifierExtension.create(keys.publicKey),
		],
	});
	return { certificatePem: certificate.toString('pem'), keyPem: await pemOf(keys.privateKey) };
}

/** Makes a certificate for the server's names and addresses on this machine. */
export async function makeServerCertificate(
	authority: KeyedCertificate,
	now: number,
): Promise<KeyedCertificate> {
	cryptoProvider.set(webcrypto);
	const issuer = new X509Certificate(authority.certificatePem);
	const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
	const certificate = await X509CertificateGenerator.create({
		subject: 'CN=stint',
		issuer: issuer.subject,
		publicKey: keys.publicKey,
		signingKey: await signingKey(authority.keyPem),
		signingAlgorithm: ALGORITHM,
		...validity(now, SERVER_DAYS),
		extensions: [
			new BasicConstraintsExtension(false, undefined, true),
			new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
			new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
			new SubjectAlternativeNameExtension([...SERVER_NAMES]),
			await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
		],
	});
	return { certificatePem: certificate.toString('pem'), keyPem: await pemOf(keys.privateKey) };
}

function validity(now: number, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
	return { notBefore: new Date(now - BACKDATED_MS), notAfter: new Date(now + days * DAY_MS) };
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
	const text = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
	return `-----BEGIN PRIVATE KEY-----\n${text.replace(/.{64}(?!$)/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
}

function signingKey(pem: string): Promise<webcrypto.CryptoKey> {
	const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
	return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}
