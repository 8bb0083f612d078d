import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { loadCredentials } from './credentials.ts';

const NOW = Date.UTC(2026, 0, 1);
const DAY_MS = 24 * 3_600_000;

let folder: string;
beforeEach(() => {
	folder = join(mkdtempSync(join(tmpdir(), 'stint-pki-')), 'pki');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

test('the first start makes everything, for the owner only', () => {
	const { caPem, certificatePem, token } = loadCredentials(folder, NOW);
	assert.equal(statSync(folder).mode & 0o777, 0o700);
	assert.deepEqual(readdirSync(folder).sort(), ['ca.crt', 'ca.key', 'server.crt', 'server.key', 'token']);
	for (const name of readdirSync(folder))
		assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
	assert.ok(Buffer.from(token, 'base64url').length >= 32);
	const authority = new X509Certificate(caPem);
	const certificate = new X509Certificate(certificatePem);
	assert.ok(authority.ca && authority.verify(authority.publicKey));
	assert.ok(!certificate.ca && certificate.verify(authority.publicKey));
	assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
	assert.equal(certificate.checkIP('::1'), '::1');
	for (const name of ['localhost', 'kubernetes', 'kubernetes.default.svc']) {
		assert.equal(certificate.checkHost(name), name);
	}
	assert.equal(certificate.checkHost('example.com'), undefined);
});

test('later starts find it again', () => {
	const first = loadCredentials(folder, NOW);
	assert.deepEqual(loadCredentials(folder, NOW + 365 * DAY_MS), first);
});

test('a certificate near its end is made anew by the same authority', () => {
	const first = loadCredentials(folder, NOW);
	const then = NOW + 800 * DAY_MS;
	const next = loadCredentials(folder, then);
	assert.equal(next.caPem, first.caPem);
	assert.equal(next.token, first.token);
	const certificate = new X509Certificate(next.certificatePem);
	assert.ok(certificate.validToDate.getTime() > then + 800 * DAY_MS);
	assert.ok(certificate.verify(new X509Certificate(next.caPem).publicKey));
	assert.equal(readFileSync(join(folder, 'server.crt'), 'utf8'), next.certificatePem);
});

test('an authority near its end takes its certificate along', () => {
	const first = loadCredentials(folder, NOW);
	const next = loadCredentials(folder, NOW + 3640 * DAY_MS);
	assert.notEqual(next.caPem, first.caPem);
	assert.ok(new X509Certificate(next.certificatePem).verify(new X509Certificate(next.caPem).publicKey));
});

test('what is missing or no certificate is made anew', () => {
	const first = loadCredentials(folder, NOW);
	writeFileSync(join(folder, 'server.crt'), 'nonsense');
	rmSync(join(folder, 'token'));
	const next = loadCredentials(folder, NOW);
	assert.equal(next.caPem, first.caPem);
	assert.notEqual(next.token, first.token);
	assert.ok(new X509Certificate(next.certificatePem).verify(new X509Certificate(first.caPem).publicKey));
});
