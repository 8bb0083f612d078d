import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
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

test('the first start creates all files, accessible to their owner only', () => {
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

test('later starts load the same credentials', () => {
	const first = loadCredentials(folder, NOW);
	assert.deepEqual(loadCredentials(folder, NOW + 365 * DAY_MS), first);
});

test('a certificate about to expire is replaced by one of the same authority', () => {
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

test('an authority about to expire is replaced together with the server certificate', () => {
	const first = loadCredentials(folder, NOW);
	const next = loadCredentials(folder, NOW + 3640 * DAY_MS);
	assert.notEqual(next.caPem, first.caPem);
	assert.ok(new X509Certificate(next.certificatePem).verify(new X509Certificate(next.caPem).publicKey));
});

/** A kind of damage, and the files that are replaced for it. */
interface Damage {
	readonly name: string;
	/** Content of the damaged file: undefined removes it, CUT truncates it. */
	readonly to: string | undefined;
	readonly says: RegExp | undefined;
	readonly replaced: readonly string[];
}

const CUT = 'its beginning';
const SERVER = ['server.crt', 'server.key'];
const ALL = ['ca.crt', 'ca.key', ...SERVER];

/** A key that does not belong to any of the certificates. */
function otherKey(): string {
	const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	return String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

function contents(): Record<string, string> {
	return Object.fromEntries(
		readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
	);
}

test('missing or damaged files are replaced, damage is reported, and other files are kept', () => {
	const damages: readonly Damage[] = [
		{ name: 'token', to: undefined, says: undefined, replaced: ['token'] },
		{ name: 'token', to: 'with a blank in the middle', says: /token is replaced/, replaced: ['token'] },
		{ name: 'token', to: 'short', says: /at least 16 characters/, replaced: ['token'] },
		{ name: 'token', to: '', says: /token is replaced/, replaced: ['token'] },
		{ name: 'server.crt', to: undefined, says: undefined, replaced: SERVER },
		{
			name: 'server.crt',
			to: 'nonsense',
			says: /server\.crt is replaced: it is not a certificate/,
			replaced: SERVER,
		},
		{ name: 'server.crt', to: CUT, says: /server\.crt is replaced/, replaced: SERVER },
		{
			name: 'server.key',
			to: 'nonsense',
			says: /server\.key is replaced: it is not a private key/,
			replaced: SERVER,
		},
		{ name: 'server.key', to: otherKey(), says: /it is not the key of server\.crt/, replaced: SERVER },
		{ name: 'ca.crt', to: CUT, says: /ca\.crt is replaced: .* must be copied again/, replaced: ALL },
		{ name: 'ca.crt', to: undefined, says: undefined, replaced: ALL },
	];
	for (const { name, to, says, replaced } of damages) {
		loadCredentials(folder, NOW);
		const before = contents();
		const path = join(folder, name);
		if (to === undefined) rmSync(path);
		else writeFileSync(path, to === CUT ? (before[name] ?? '').slice(0, 200) : to);
		const said: string[] = [];
		const credentials = loadCredentials(folder, NOW, { onReplaced: (what) => said.push(what) });
		const after = contents();
		const changed = Object.keys(after).filter((each) => after[each] !== before[each]);
		assert.deepEqual(changed.sort(), [...replaced].sort(), `${name}: ${to}`);
		assert.equal(said.length, says ? 1 : 0, said.join());
		if (says) assert.match(said[0] ?? '', says);
		const { caPem, certificatePem, keyPem } = credentials;
		const certificate = new X509Certificate(certificatePem);
		assert.ok(certificate.verify(new X509Certificate(caPem).publicKey));
		assert.ok(certificate.checkPrivateKey(createPrivateKey(keyPem)));
		assert.deepEqual(loadCredentials(folder, NOW, { onReplaced: assert.fail }), credentials);
	}
});

test('a missing key of the authority matters only when a certificate has to be signed', () => {
	const first = loadCredentials(folder, NOW);
	writeFileSync(join(folder, 'ca.key'), 'nonsense');
	assert.deepEqual(loadCredentials(folder, NOW, { onReplaced: assert.fail }), first);
	rmSync(join(folder, 'server.crt'));
	const said: string[] = [];
	const next = loadCredentials(folder, NOW, { onReplaced: (what) => said.push(what) });
	assert.notEqual(next.caPem, first.caPem);
	assert.match(said.join(), /ca\.key is replaced: it is not a private key; ca\.crt is replaced as well/);
});

test('a certificate that is not valid for an address of the server is made anew, by the same authority', () => {
	const first = loadCredentials(folder, NOW);
	const next = loadCredentials(folder, NOW, { addresses: ['10.96.0.1'] });
	assert.equal(next.caPem, first.caPem);
	const certificate = new X509Certificate(next.certificatePem);
	for (const address of ['10.96.0.1', '127.0.0.1', '::1']) assert.ok(certificate.checkIP(address), address);
	for (const name of ['kubernetes', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'])
		assert.ok(certificate.checkHost(name), name);
	assert.equal(certificate.checkIP('10.96.0.2'), undefined);
	assert.deepEqual(loadCredentials(folder, NOW, { addresses: ['10.96.0.1'] }), next);
});
