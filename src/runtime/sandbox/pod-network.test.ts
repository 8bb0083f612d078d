import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { attempt } from '../../base/attempt.ts';
import { removeTree } from '../../base/files/remove-tree.ts';
import type { Runtime, Sandbox } from '../contract.ts';
import { choosePodNetwork } from '../process/network/network-choice.ts';
import { probeMachine } from '../process/shim/probe.ts';
import { shimFile } from '../process/shim/shim-file.ts';
import { containerConfig, sandboxConfig } from '../testing/configs.ts';
import { missingForSandbox, SandboxWorld } from './testing/sandbox-harness.ts';

const shim = shimFile();
const choice = await choosePodNetwork('auto', { shim, machine: await probeMachine(shim) });
const missing = await missingForSandbox();
const skip = missing ?? (choice.kind === 'host' ? (choice.reason ?? 'no networks of Pods') : false);

test('containers with images share the network of their Pod, and port-forward reaches its loopback', {
	skip,
}, async (t) => {
	const world = await SandboxWorld.open();
	const folder = mkdtempSync(join(tmpdir(), 'stint-sandbox-network-'));
	t.after(async () => {
		await world.close();
		await removeTree(folder);
	});
	const runtime = world.runtimeIn(folder, { podNetwork: 'pod' });
	await runtime.start();
	t.after(() => runtime.stop({ killAll: true }));
	await runtime.pullImage(world.busybox);
	const begin = beginIn(runtime, { folder, image: world.busybox });

	const [one, two] = [
		await runtime.runSandbox(sandboxConfig('a')),
		await runtime.runSandbox(sandboxConfig('b')),
	];
	const serve = (host: string): string => `echo $HOSTNAME > /tmp/name; httpd -f -p ${host}:80 -h /tmp`;
	const get = (host: string): string =>
		`until wget -q -O - http://${host}/name; do sleep 0.05; done; echo; grep nameserver /etc/resolv.conf`;
	await begin(one, { name: 'server', script: serve('127.0.0.1') });
	await begin(two, { name: 'server', script: serve('0.0.0.0') });
	assert.match(await begin(one, { name: 'itself', script: get('127.0.0.1'), ends: true }), /^a\n/);
	assert.match(await begin(one, { name: 'other', script: get(two.ip), ends: true }), /^b\n/);
	const stream = await runtime.portForward(one.id, 80);
	await stream.send({ type: 'data', channel: 0, bytes: Buffer.from('GET /name HTTP/1.0\r\n\r\n') });
	let received = '';
	for (let message = await stream.receive(); message?.type === 'data'; message = await stream.receive())
		received += Buffer.from(message.bytes).toString();
	assert.match(received, /^HTTP\/1\.[01] 200 OK.*\r\n\r\na\n$/s);
	stream.close();
});

/** Starts containers that run a script; a call resolves to the output if the script ends. */
function beginIn(
	runtime: Runtime,
	{ folder, image }: { readonly folder: string; readonly image: string },
): (
	sandbox: Sandbox,
	container: { readonly name: string; readonly script: string; readonly ends?: boolean },
) => Promise<string> {
	return async (sandbox, { name, script, ends = false }) => {
		const logPath = join(folder, `${sandbox.id}-${name}.log`);
		const env = [{ name: 'HOSTNAME', value: sandbox.config.podName }];
		const config = containerConfig({ name, image, command: ['sh', '-c', script], env, logPath });
		const { id } = await runtime.createContainer(sandbox.id, config);
		await runtime.startContainer(id);
		const hasEnded = async (): Promise<boolean> =>
			(await runtime.listContainers()).some((each) => each.id === id && each.state === 'exited');
		while (ends && !(await hasEnded())) await pause(5);
		const log = attempt(() => readFileSync(logPath, 'utf8')) ?? '';
		return log.replaceAll(/^\S+ \w+ [FP] /gm, '');
	};
}
