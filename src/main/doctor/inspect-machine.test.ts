import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SystemClock } from '../../base/clock.ts';
import { isAllowed } from '../../plan/doctor/finding.ts';
import { probeMachine } from '../../runtime/process/shim/probe.ts';
import { shimFile } from '../../runtime/process/shim/shim-file.ts';
import { inspectMachine } from './inspect-machine.ts';

const clock = new SystemClock({ keepsAlive: true });

function folderFor(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'stint-doctor-'));
	t.after(() => rmSync(path, { recursive: true }));
	return path;
}

test('the inspection agrees with the level of the runtime, and leaves nothing', async (t) => {
	const home = folderFor(t);
	const facts = await inspectMachine({ dataDir: join(home, 'a', 'data'), port: 0, clock });
	const { level, hasPids } = await probeMachine(shimFile());
	assert.equal(facts.isolation.level, level);
	assert.equal(isAllowed(facts.isolation.box), level !== 'none', JSON.stringify(facts.isolation.box));
	assert.equal(isAllowed(facts.isolation.processes), level !== 'none' && hasPids);
	assert.equal(
		facts.traits.honours !== 'everything' && facts.traits.honours.has('spec.volumes'),
		level !== 'none',
	);
	assert.deepEqual([facts.dataFolder.tried, facts.dataFolder.trial.kind], [home, 'allowed']);
	assert.deepEqual([facts.port.trial.kind, facts.system.spawn.kind], ['allowed', 'allowed']);
	assert.ok(facts.zones.known > 100);
	assert.deepEqual(readdirSync(home), []);
});

test('a port in use, and a data folder that cannot be made, are refused', async (t) => {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
	t.after(() => server.close());
	const address = server.address();
	const port = typeof address === 'object' && address ? address.port : 0;
	const facts = await inspectMachine({ dataDir: '/proc/no-data-here', port, clock });
	assert.deepEqual(facts.port.trial, { kind: 'refused', code: 'EADDRINUSE', step: 'listen' });
	assert.equal(facts.dataFolder.trial.kind, 'refused');
});

test('where the kernel allows no namespaces, the command says which file says so', (t) => {
	const limits = ['user', 'mnt'].map((kind) => `/proc/sys/user/max_${kind}_namespaces`);
	const refuse = limits.map((path) => `echo 0 >${path}`).join(' && ');
	const isPossible = spawnSync('unshare', ['-Ur', 'sh', '-c', refuse]).status === 0;
	if (!isPossible || !existsSync('/bin/sh'))
		return t.skip('this machine lets no user namespace change its limits');
	const stint = fileURLToPath(new URL('../stint.ts', import.meta.url));
	const command = `${refuse} && exec "$0" --disable-warning=ExperimentalWarning "$1" doctor -o json --data-dir "$2"`;
	const args = ['-Ur', 'sh', '-c', command, process.execPath, stint, join(folderFor(t), 'data')];
	const found = JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' }));
	assert.deepEqual([found.canRunJobs, found.level], [true, 'none']);
	const containers = found.findings.find(({ name }: { readonly name: string }) => name === 'containers');
	assert.match(containers.because, /^\/proc\/sys\/user\/max_user_namespaces is 0 \(ENOSPC at clone\)$/);
});
