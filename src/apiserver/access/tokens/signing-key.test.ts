import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { SigningKey } from './signing-key.ts';

function keyFile(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'stint-key-'));
	t.after(() => rmSync(folder, { recursive: true }));
	return join(folder, 'sa.key');
}

test('the key is made at the first use, once, and kept in a file for its owner only', async (t) => {
	const path = keyFile(t);
	const messages: string[] = [];
	const onReplaced = (text: string): void => void messages.push(text);
	const key = new SigningKey({ path, onReplaced });
	assert.equal(statSync(path, { throwIfNoEntry: false }), undefined);
	const [first, second] = await Promise.all([key.load(), key.load()]);
	assert.equal(first, second);
	assert.equal(statSync(path).mode & 0o777, 0o600);
	assert.match(readFileSync(path, 'utf8'), /^-----BEGIN PRIVATE KEY-----/);
	const reopened = await new SigningKey({ path, onReplaced }).load();
	assert.equal(reopened.id, first.id);
	assert.match(first.id, /^[\w-]{43}$/);
	assert.deepEqual(messages, []);
});

test('a file without a fit key is replaced, with a message', async (t) => {
	const path = keyFile(t);
	const pem = ({ privateKey }: { readonly privateKey: KeyObject }): string =>
		privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
	const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
	const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-384' });
	for (const text of ['', 'no key', pem(weak), pem(elliptic)]) {
		writeFileSync(path, text, { mode: 0o600 });
		const messages: string[] = [];
		const key = new SigningKey({ path, onReplaced: (message) => void messages.push(message) });
		const { privateKey } = await key.load();
		assert.equal(privateKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
		assert.equal(messages.length, 1);
		assert.ok(messages[0]?.startsWith(`${path} is replaced: `));
		assert.notEqual(readFileSync(path, 'utf8'), text);
	}
});

test('an RSA key that an earlier server has made stays in use', async (t) => {
	const path = keyFile(t);
	const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
	writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
	const pair = await new SigningKey({ path, onReplaced: () => assert.fail() }).load();
	assert.ok(pair.publicKey.equals(publicKey));
	assert.equal(pair.algorithm, 'RS256');
});

test('a key without a file is in memory, and after a failure the next use tries again', async (t) => {
	const onReplaced = (): void => assert.fail();
	assert.ok((await new SigningKey({ onReplaced }).load()).id);
	const path = join(keyFile(t), 'missing', 'sa.key');
	const key = new SigningKey({ path, onReplaced });
	await assert.rejects(key.load(), { name: 'UnusablePathError' });
	await assert.rejects(key.load(), { name: 'UnusablePathError' });
});
