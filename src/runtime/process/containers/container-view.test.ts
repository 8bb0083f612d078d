import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { untilGone } from '../testing/host-harness.ts';
import { ContainerView } from './container-view.ts';

/** Root needs no user namespace for another mount namespace. */
const UNSHARE = process.getuid?.() === 0 ? ['-m'] : ['-Urm'];
const skip = spawnSync('unshare', [...UNSHARE, 'true']).status !== 0 && 'no mount namespace can be made here';

const BOX = { namespaces: 'mih', fileSystems: [], mounts: [] };

/** A process in a mount namespace of its own that leaves another one behind; resolves once that runs. */
async function leaving(): Promise<{ readonly child: ChildProcess; readonly left: number }> {
	const script = 'env -i setsid sleep 1000000 & echo $!; exec sleep 1000000';
	const child = spawn('unshare', [...UNSHARE, 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
	assert.ok(child.stdout);
	const [line] = await once(createInterface({ input: child.stdout }), 'line');
	return { child, left: Number(line) };
}

test('what a killed process has left in its mount namespace is found and killed', { skip }, async () => {
	const { child, left } = await leaving();
	const view = ContainerView.of(child.pid ?? 0, BOX);
	child.kill('SIGKILL');
	await once(child, 'exit');
	assert.ok(view);
	view.end();
	await untilGone(left);
});

test('what a killed process has left in its root by chroot is found and killed', async (t) => {
	if (process.getuid?.() !== 0 || !existsSync('/bin/busybox')) return t.skip('that needs root, and busybox');
	const folder = mkdtempSync(join(tmpdir(), 'stint-view-'));
	t.after(() => rmSync(folder, { recursive: true }));
	copyFileSync('/bin/busybox', join(folder, 'busybox'));
	const script = '/busybox setsid /busybox sleep 1000000 & echo $!; exec /busybox sleep 1000000';
	const stdio = ['ignore', 'pipe', 'ignore'] as const;
	const child = spawn('chroot', [folder, '/busybox', 'sh', '-c', script], { stdio: [...stdio] });
	assert.ok(child.stdout);
	const [line] = await once(createInterface({ input: child.stdout }), 'line');
	const view = ContainerView.of(child.pid ?? 0, { ...BOX, namespaces: '', root: { folder, isChroot: true } });
	child.kill('SIGKILL');
	await once(child, 'exit');
	assert.ok(view);
	view.end();
	await untilGone(Number(line));
});

test('the mount namespace of this process is not taken for one of a container', () => {
	assert.equal(ContainerView.of(process.pid, BOX), undefined);
	assert.equal(ContainerView.of(2 ** 22, BOX), undefined);
});
