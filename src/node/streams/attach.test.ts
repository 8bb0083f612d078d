import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHANNELS, type Duplex } from '../../api/contract/duplex.ts';
import type { ContainerAttachRequest } from '../../api/contract/node-api.ts';
import { ApiError } from '../../api/errors/api-error.ts';
import { SeededRandom } from '../../base/testing/seeded-random.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import type { AttachConfig } from '../../runtime/contract.ts';
import { FakeRuntime } from '../../runtime/fake/fake-runtime.ts';
import { containerConfig, sandboxConfig } from '../../runtime/testing/configs.ts';
import { attachTo } from './attach.ts';

const REQUEST: ContainerAttachRequest = {
	...{ namespace: 'default', pod: 'p', container: 'main' },
	...{ stdin: true, stdout: true, stderr: true, tty: false },
};

interface Attached {
	readonly session: Duplex;
	readonly runtime: FakeRuntime;
	readonly id: string;
	readonly asked: readonly AttachConfig[];
}

async function start(more: Partial<ContainerAttachRequest> = {}, exitCode = 0): Promise<Attached> {
	const program = () => ({ runMs: Number.POSITIVE_INFINITY, copiesInput: true, exitCode });
	const runtime = new FakeRuntime({ clock: new VirtualClock(), random: new SeededRandom(1), program });
	const sandbox = await runtime.runSandbox(sandboxConfig('p'));
	const config = containerConfig({ command: ['cat'], stdin: true, stdinOnce: true });
	const { id } = await runtime.createContainer(sandbox.id, config);
	await runtime.startContainer(id);
	const asked: AttachConfig[] = [];
	const noting = Object.assign(Object.create(runtime), {
		attach: (container: string, options: AttachConfig) => {
			asked.push(options);
			return runtime.attach(container, options);
		},
	});
	return { session: await attachTo(noting, id, { ...REQUEST, ...more }), runtime, id, asked };
}

/** The messages until the session is closed, as `channel:text`. */
async function read(session: Duplex): Promise<readonly string[]> {
	const seen: string[] = [];
	for (let message = await session.receive(); message?.type === 'data'; message = await session.receive())
		seen.push(`${message.channel}:${Buffer.from(message.bytes)}`);
	return seen;
}

const SUCCESS = '3:{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}';

test('a session ends with a success, whatever the exit code of the container', async () => {
	for (const exitCode of [0, 3]) {
		const { session } = await start({}, exitCode);
		await session.send({ type: 'data', channel: CHANNELS.stdin, bytes: Buffer.from('x') });
		await session.send({ type: 'end', channel: CHANNELS.stdin });
		assert.deepEqual(await read(session), ['1:x', SUCCESS]);
	}
});

test('after a close by the client there is no Status, and the container runs on', async () => {
	const { session, runtime } = await start({ stdin: false });
	session.close();
	assert.deepEqual(await read(session), []);
	assert.equal((await runtime.listContainers())[0]?.state, 'running');
});

test('a terminal has no separate standard error, and input that was not asked for is dropped', async () => {
	const { asked, session, runtime, id } = await start({ tty: true, stdin: false });
	assert.deepEqual(asked, [{ stdin: false, stdout: true, stderr: false }]);
	assert.equal(await session.send({ type: 'data', channel: CHANNELS.stdin, bytes: Buffer.from('x') }), true);
	await runtime.stopContainer(id, 0);
	assert.deepEqual(await read(session), [SUCCESS]);
});

test('a container that has ended is refused, and so is one of a runtime that cannot be reached', async () => {
	const { runtime, id } = await start();
	await runtime.stopContainer(id, 0);
	const codeOf = async (): Promise<number> => {
		const error = await attachTo(runtime, id, REQUEST).catch((reason: unknown) => reason);
		assert.ok(error instanceof ApiError);
		return error.code;
	};
	assert.equal(await codeOf(), 400);
	runtime.crash();
	assert.equal(await codeOf(), 503);
});
