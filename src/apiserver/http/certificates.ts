/**
 * Makes the two certificates of a server: a self-signed certificate authority, and a certificate for the
 * server's names that the authority signs (X.509 version 3, RFC 5280; ECDSA on P-256 with SHA-256).
 *
 * This is written here rather than taken from a library because it is part of the first start: the library
 * used before (@peculiar/x509) took 136 of its 467 ms to load, and node:crypto is loaded for TLS anyway.
 */

import {
	createHash,
	createPrivateKey,
	generateKeyPairSync,
	type KeyObject,
	randomBytes,
	sign,
	X509Certificate,
} from 'node:crypto';
import { assert } from '../../base/assert.ts';
import {
	type DerPart,
	derBitString,
	derInteger,
	derObjectIdentifier,
	derOctetString,
	derParts,
	derSequence,
	derSet,
	derText,
	derTime,
	derTrue,
	derValue,
} from '../../base/der.ts';

/** A certificate and its private key, in PEM. */
export interface KeyedCertificate {
	readonly certificatePem: string;
	readonly keyPem: string;
}

const DAY_MS = 24 * 3_600_000;

/**
 * Copies of kubeconfigs contain the authority's certificate, so it is valid for ten years. The server's own
 * certificate is valid for 825 days, the most that Apple's TLS accepts, and is renewed at a start.
 */
const AUTHORITY_DAYS = 3650;
const SERVER_DAYS = 825;

/** Certificates are valid from an hour before they are made, because the clocks of clients may be behind. */
const BACKDATED_MS = 3_600_000;

/** The names of the server's Service, by which Pods reach it. */
export const SERVICE_NAMES: readonly string[] = [
	'kubernetes',
	'kubernetes.default',
	'kubernetes.default.svc',
	'kubernetes.default.svc.cluster.local',
];
/** DNS names of the server: on this machine, and in Pods. */
const SERVER_DNS_NAMES = ['localhost', ...SERVICE_NAMES];
/** IP addresses of every server: 127.0.0.1 and ::1. */
const SERVER_ADDRESSES = [Buffer.from([127, 0, 0, 1]), Buffer.from(`${'00'.repeat(15)}01`, 'hex')];

/** Makes a self-signed certificate authority. `now` is in ms since the epoch. */
export function makeAuthority(now: number): KeyedCertificate {
	const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const publicKeyInfo = publicKey.export({ type: 'spki', format: 'der' });
	const name = commonName('stint-ca');
	const certificatePem = signedCertificate(privateKey, {
		issuer: name,
		subject: name,
		publicKeyInfo,
		...validity(now, AUTHORITY_DAYS),
		extensions: [
			critical(OID.basicConstraints, derSequence(derTrue(), derInteger(Buffer.from([0])))),
			critical(OID.keyUsage, keyUsage('keyCertSign', 'cRLSign')),
			extension(OID.subjectKeyIdentifier, derOctetString(keyIdentifier(publicKeyInfo))),
		],
	});
	return { certificatePem, keyPem: pemOf(privateKey) };
}

/**
 * Makes a certificate for the server's names and addresses on this machine and for `addresses` (IPv4), signed by
 * `authority`. Throws if the key of the authority cannot be parsed or is not an ECDSA key.
 */
export function makeServerCertificate(
	authority: KeyedCertificate,
	now: number,
	addresses: readonly string[] = [],
): KeyedCertificate {
	const issuer = partsOf(new X509Certificate(authority.certificatePem));
	const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const signingKey = createPrivateKey(authority.keyPem);
	if (signingKey.asymmetricKeyType !== 'ec')
		throw new TypeError('the key of the certificate authority is not an ECDSA key');
	const certificatePem = signedCertificate(signingKey, {
		issuer: issuer.subject,
		subject: commonName('stint'),
		publicKeyInfo: publicKey.export({ type: 'spki', format: 'der' }),
		...validity(now, SERVER_DAYS),
		extensions: [
			critical(OID.basicConstraints, derSequence()),
			critical(OID.keyUsage, keyUsage('digitalSignature')),
			extension(OID.extendedKeyUsage, derSequence(derObjectIdentifier(OID.serverAuthentication))),
			extension(OID.subjectAlternativeName, derSequence(...alternativeNames(addresses))),
			extension(OID.authorityKeyIdentifier, derSequence(derValue(KEY_IDENTIFIER, issuer.keyIdentifier))),
		],
	});
	return { certificatePem, keyPem: pemOf(privateKey) };
}

const OID = {
	commonName: '2.5.4.3',
	subjectKeyIdentifier: '2.5.29.14',
	keyUsage: '2.5.29.15',
	subjectAlternativeName: '2.5.29.17',
	basicConstraints: '2.5.29.19',
	authorityKeyIdentifier: '2.5.29.35',
	extendedKeyUsage: '2.5.29.37',
	serverAuthentication: '1.3.6.1.5.5.7.3.1',
	ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const;

/**
 * Tags of context-specific fields, which a structure distinguishes by number; `CONSTRUCTED` is set for a
 * field that contains other values.
 */
const CONTEXT = 0x80;
const CONSTRUCTED = 0x20;
const VERSION = CONTEXT | CONSTRUCTED | 0;
const EXTENSIONS = CONTEXT | CONSTRUCTED | 3;
const KEY_IDENTIFIER = CONTEXT | 0;

interface CertificateContent {
	/** Distinguished names, in DER. */
	readonly issuer: Uint8Array;
	readonly subject: Uint8Array;
	/** SubjectPublicKeyInfo, in DER. */
	readonly publicKeyInfo: Uint8Array;
	readonly notBefore: number;
	readonly notAfter: number;
	readonly extensions: readonly Uint8Array[];
}

/** The certificate with this content and a random serial number, signed with `key`, in PEM. */
function signedCertificate(key: KeyObject, content: CertificateContent): string {
	const algorithm = derSequence(derObjectIdentifier(OID.ecdsaWithSha256));
	const toBeSigned = derSequence(
		derValue(VERSION, derInteger(Buffer.from([2]))),
		derInteger(randomBytes(16)),
		algorithm,
		content.issuer,
		derSequence(derTime(content.notBefore), derTime(content.notAfter)),
		content.subject,
		content.publicKeyInfo,
		derValue(EXTENSIONS, derSequence(...content.extensions)),
	);
	const der = derSequence(toBeSigned, algorithm, derBitString(sign('sha256', toBeSigned, key)));
	return new X509Certificate(der).toString();
}

function validity(now: number, days: number): { readonly notBefore: number; readonly notAfter: number } {
	return { notBefore: now - BACKDATED_MS, notAfter: now + days * DAY_MS };
}

/** The distinguished name `CN=text`. */
function commonName(text: string): Uint8Array {
	return derSequence(derSet(derSequence(derObjectIdentifier(OID.commonName), derText(text))));
}

function extension(identifier: string, value: Uint8Array): Uint8Array {
	return derSequence(derObjectIdentifier(identifier), derOctetString(value));
}

/** A critical extension: a client that does not know it must reject the certificate. */
function critical(identifier: string, value: Uint8Array): Uint8Array {
	return derSequence(derObjectIdentifier(identifier), derTrue(), derOctetString(value));
}

/** Bit numbers of key usages; bit 0 is the highest of the first byte. */
const KEY_USAGE_BITS = { digitalSignature: 0, keyCertSign: 5, cRLSign: 6 } as const;

function keyUsage(...uses: readonly (keyof typeof KEY_USAGE_BITS)[]): Uint8Array {
	const positions = uses.map((use) => KEY_USAGE_BITS[use]);
	const byte = positions.reduce((bits: number, position) => bits | (0x80 >> position), 0);
	return derBitString(Buffer.from([byte]), 7 - Math.max(...positions));
}

const DNS_NAME = 2;
const IP_ADDRESS = 7;

function alternativeNames(addresses: readonly string[]): readonly Uint8Array[] {
	const others = addresses.map((text) => Buffer.from(text.split('.').map(Number)));
	return [
		...SERVER_DNS_NAMES.map((name) => derValue(CONTEXT | DNS_NAME, Buffer.from(name, 'latin1'))),
		...[...SERVER_ADDRESSES, ...others].map((address) => derValue(CONTEXT | IP_ADDRESS, address)),
	];
}

/**
 * The parts of an authority's certificate that go into the certificates it signs. They are copied byte for
 * byte: clients compare the encoded issuer, and another encoding of the same name breaks the chain.
 */
function partsOf(certificate: X509Certificate): {
	readonly subject: Uint8Array;
	readonly keyIdentifier: Uint8Array;
} {
	const [whole] = derParts(certificate.raw);
	const [toBeSigned] = derParts(whole?.content ?? NOTHING);
	const fields = derParts(toBeSigned?.content ?? NOTHING).filter(({ tag }) => tag !== VERSION);
	const [, , , , subject, publicKeyInfo] = fields;
	const extensions = fields.find(({ tag }) => tag === EXTENSIONS);
	assert(subject && publicKeyInfo, 'a certificate that node:crypto took has a subject and a key');
	const named = extensions && extensionValue(extensions.content, OID.subjectKeyIdentifier);
	return { subject: subject.bytes, keyIdentifier: named?.content ?? keyIdentifier(publicKeyInfo.bytes) };
}

/** The value of an extension, or undefined for a certificate without it. */
function extensionValue(extensions: Uint8Array, identifier: string): DerPart | undefined {
	const wanted = derObjectIdentifier(identifier);
	for (const { content } of derParts(derParts(extensions)[0]?.content ?? NOTHING)) {
		const parts = derParts(content);
		if (parts[0] && wanted.equals(parts[0].bytes)) return derParts(parts.at(-1)?.content ?? NOTHING)[0];
	}
	return undefined;
}

const NOTHING = new Uint8Array();

/**
 * The identifier of a key: the SHA-1 of its bits (RFC 5280, 4.2.1.2, method 1). It only helps clients to find
 * the issuer, so the weakness of SHA-1 does not matter.
 */
function keyIdentifier(publicKeyInfo: Uint8Array): Uint8Array {
	const [info] = derParts(publicKeyInfo);
	const [, bits] = derParts(info?.content ?? NOTHING);
	return createHash('sha1')
		.update(bits?.content.subarray(1) ?? NOTHING)
		.digest();
}

function pemOf(key: KeyObject): string {
	return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
