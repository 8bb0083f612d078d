import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
	chmodSync,
	chownSync,
	lchownSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isOwnSocket } from './own-socket.ts';

async function socketIn(t: TestContext): Promise<{ readonly folder: string; readonly path: string }> {
	const root = mkdtempSync(join(tmpdir(), 'stint-test-'));
	t.after(() => rmSync(root, { recursive: true }));
	const folder = join(root, 'data');
	mkdirSync(folder, { mode: 0o700 });
	const path = join(folder, 'api.sock');
	const server = createServer();
	await once(server.listen(path), 'listening');
	t.after(() => server.close());
	return { folder, path };
}

test('a socket of this user in a folder of this user is its own', async (t) => {
	const { path } = await socketIn(t);
	assert.equal(isOwnSocket(path), true);
	assert.equal(isOwnSocket(relative(process.cwd(), path)), false);
});

test('a missing file, another file and a symbolic link are no sockets of this user', async (t) => {
	const { folder, path } = await socketIn(t);
	const [file, link] = [join(folder, 'file'), join(folder, 'link')];
	writeFileSync(file, '');
	symlinkSync(path, link);
	for (const other of [file, link, join(folder, 'missing'), join(file, 'api.sock'), '']) {
		assert.equal(isOwnSocket(other), false, other);
	}
});

test('a socket in a folder that others can write to may be replaced by them', async (t) => {
	const { folder, path } = await socketIn(t);
	for (const mode of [0o720, 0o702, 0o1777]) {
		chmodSync(folder, mode);
		assert.equal(isOwnSocket(path), false, mode.toString(8));
	}
	chmodSync(folder, 0o755);
	assert.equal(isOwnSocket(path), true);
});

test('the socket or the folder of another user is not its own, not even for root', async (t) => {
	if (process.geteuid?.() !== 0) return t.skip('only root can give files to another user');
	const { folder, path } = await socketIn(t);
	lchownSync(path, 12_345, 0);
	assert.equal(isOwnSocket(path), false);
	lchownSync(path, 0, 0);
	chownSync(folder, 12_345, 0);
	assert.equal(isOwnSocket(path), false);
});
