import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { connect, createServer } from 'node:tls';
import { type KeyedCertificate, makeAuthority, makeServerCertificate } from './certificates.ts';

const NOW = Date.UTC(2026, 0, 1);
const DAY_MS = 24 * 3_600_000;

/** An authority that an earlier version of stint made with a library: its name is a PrintableString. */
const EARLIER_AUTHORITY: KeyedCertificate = {
	certificatePem: `-----BEGIN CERTIFICATE-----
MIIBaTCCAQ+gAwIBAgIQebG684fS8irtxpMHH20TmzAKBggqhkjOPQQDAjATMREw
DwYDVQQDEwhzdGludC1jYTAeFw0yNjExMjgyMjAzNDBaFw0zNjExMjUyMzAzNDBa
MBMxETAPBgNVBAMTCHN0aW50LWNhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
N7QCAhEKSeEF6yQNVPw58UZ+vlP30wjomcTfVk0n6rDBEjVON34mwRQx9QBhjrsj
vcSmltMZMRC4ZopvGmkjZaNFMEMwEgYDVR0TAQH/BAgwBgEB/wIBADAOBgNVHQ8B
Af8EBAMCAQYwHQYDVR0OBBYEFN+dpTou958gNHhVuBE4nE0Vae4UMAoGCCqGSM49
BAMCA0gAMEUCIHxRkoy3VbAXa6pRuy42mDRgIx+vGESV6sADrFLxEoaZAiEA/oR5
JRrnTTLcknL9bFWvcedpDcLi9yV15uJwjF75T0I=
-----END CERTIFICATE-----
`,
	keyPem: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkc54ZjBtnCYDDk9i
9eGyp3SZGSgxOSK4geM0xsORrKqhRANCAAQ3tAICEQpJ4QXrJA1U/DnxRn6+U/fT
COiZxN9WTSfqsMESNU43fibBFDH1AGGOuyO9xKaW0xkxELhmim8aaSNl
-----END PRIVATE KEY-----
`,
};

test('Node accepts the authority as a certificate authority', () => {
	const { certificatePem, keyPem } = makeAuthority(NOW);
	const authority = new X509Certificate(certificatePem);
	assert.equal(authority.subject, 'CN=stint-ca');
	assert.equal(authority.issuer, 'CN=stint-ca');
	assert.equal(authority.ca, true);
	assert.equal(authority.validFromDate.getTime(), NOW - 3_600_000);
	assert.equal(authority.validToDate.getTime(), NOW + 3650 * DAY_MS);
	assert.ok(authority.checkPrivateKey(createPrivateKey(keyPem)));
	assert.ok(authority.checkIssued(authority) && authority.verify(authority.publicKey));
});

test('no two certificates have the same serial number', () => {
	const serial = (): string => new X509Certificate(makeAuthority(NOW).certificatePem).serialNumber;
	assert.notEqual(serial(), serial());
});

test('a client that trusts the authority trusts the server by each of its names', async () => {
	const authority = makeAuthority(Date.now());
	const { certificatePem: cert, keyPem: key } = makeServerCertificate(authority, Date.now());
	const server = createServer({ cert, key }, (socket) => socket.end());
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
	try {
		for (const servername of ['localhost', 'kubernetes.default.svc.cluster.local', 'example.com']) {
			const problem = await new Promise<string>((resolve) => {
				const ca = authority.certificatePem;
				const socket = connect({ host: '127.0.0.1', port, servername, ca }, () => {
					socket.end();
					resolve('');
				});
				socket.on('error', ({ message }) => resolve(message));
			});
			assert.equal(/does not match/.test(problem), servername === 'example.com', `${servername}: ${problem}`);
		}
	} finally {
		server.close();
	}
});

test('an authority of an earlier version signs certificates, with its encoded name as the issuer', () => {
	const { certificatePem } = makeServerCertificate(EARLIER_AUTHORITY, NOW);
	const certificate = new X509Certificate(certificatePem);
	const authority = new X509Certificate(EARLIER_AUTHORITY.certificatePem);
	assert.ok(certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
});

test('openssl verifies both certificates in strict mode and reads the intended extensions', (t) => {
	for (const authority of [makeAuthority(Date.now()), EARLIER_AUTHORITY]) {
		const { certificatePem } = makeServerCertificate(authority, Date.now());
		const text = checkedByOpenssl(t, authority.certificatePem, certificatePem);
		if (text === undefined) return;
		assert.match(text, /Version: 3 \(0x2\)/);
		assert.match(text, /Signature Algorithm: ecdsa-with-SHA256/);
		assert.match(text, /Basic Constraints: critical\s+CA:FALSE/);
		assert.match(text, /Key Usage: critical\s+Digital Signature\n/);
		assert.match(text, /Extended Key Usage:\s+TLS Web Server Authentication\n/);
		assert.match(text, /DNS:localhost, .*IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1\n/);
		const authorityText = execFileSync('openssl', ['x509', '-noout', '-text'], {
			input: authority.certificatePem,
		}).toString();
		assert.match(authorityText, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
		assert.match(authorityText, /Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
		const subjectKey = /Subject Key Identifier:\s+(\S+)/.exec(authorityText)?.[1];
		assert.ok(
			subjectKey && text.includes(subjectKey),
			'the server certificate names the key of its authority',
		);
	}
});

/**
 * The output of openssl for a certificate that it verifies against the authority; undefined, with a
 * diagnostic, if openssl is not installed.
 */
function checkedByOpenssl(t: TestContext, caPem: string, pem: string): string | undefined {
	if (spawnSync('openssl', ['version']).error) {
		t.skip('there is no openssl on this machine');
		return undefined;
	}
	const folder = mkdtempSync(join(tmpdir(), 'stint-certificates-'));
	try {
		writeFileSync(join(folder, 'ca.crt'), caPem);
		writeFileSync(join(folder, 'server.crt'), pem);
		const verify = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.crt', 'server.crt'];
		assert.equal(execFileSync('openssl', verify, { cwd: folder }).toString(), 'server.crt: OK\n');
		return execFileSync('openssl', ['x509', '-in', 'server.crt', '-noout', '-text'], {
			cwd: folder,
		}).toString();
	} finally {
		rmSync(folder, { recursive: true });
	}
}

test('a key that is not an ECDSA key is rejected', () => {
	const { certificatePem } = makeAuthority(NOW);
	const { privateKey } = generateKeyPairSync('ed25519');
	const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
	assert.throws(() => makeServerCertificate({ certificatePem, keyPem }, NOW), /not an ECDSA key/);
});
