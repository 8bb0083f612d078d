import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHANNELS, type Duplex } from '../../api/contract/duplex.ts';
import type { ContainerExecRequest } from '../../api/contract/node-api.ts';
import { ApiError } from '../../api/errors/api-error.ts';
import { SeededRandom } from '../../base/testing/seeded-random.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import type { ExecConfig } from '../../runtime/contract.ts';
import { FakeRuntime } from '../../runtime/fake/fake-runtime.ts';
import { containerConfig, sandboxConfig } from '../../runtime/testing/configs.ts';
import { execIn } from './exec.ts';

const REQUEST: ContainerExecRequest = {
	...{ namespace: 'default', pod: 'p', container: 'main', command: ['cat'] },
	...{ stdin: true, stdout: true, stderr: true, tty: false },
};

/** Starts a command in a running container; `asked` receives what the runtime was asked for. */
async function start(
	more: Partial<ContainerExecRequest>,
	asked: ExecConfig[] = [],
): Promise<{ readonly session: Duplex; readonly runtime: FakeRuntime; readonly id: string }> {
	const runtime = new FakeRuntime({ clock: new VirtualClock(), random: new SeededRandom(1) });
	const sandbox = await runtime.runSandbox(sandboxConfig('p'));
	const config = containerConfig({ command: ['sleep', 'infinity'] });
	const { id } = await runtime.createContainer(sandbox.id, config);
	await runtime.startContainer(id);
	const noting = Object.assign(Object.create(runtime), {
		exec: (container: string, config: ExecConfig) => {
			asked.push(config);
			return runtime.exec(container, config);
		},
	});
	return { session: await execIn(noting, id, { ...REQUEST, ...more }), runtime, id };
}

/** The messages until the session is closed, as `channel:text`. */
async function read(session: Duplex): Promise<readonly string[]> {
	const seen: string[] = [];
	for (;;) {
		const message = await session.receive();
		if (message?.type !== 'data') return seen;
		seen.push(`${message.channel}:${Buffer.from(message.bytes)}`);
	}
}

const SUCCESS = '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}';

test('a session ends with the Status of the command, after its output', async () => {
	const { session } = await start({ command: ['echo', 'a'] });
	assert.deepEqual(await read(session), ['1:a\n', `3:${SUCCESS}`]);
	assert.equal(await session.receive(), undefined);
});

test('another exit code is a failure with the code as its cause', async () => {
	const { session } = await start({ command: ['sh', '-c', 'exit 3'] });
	const [status = ''] = await read(session);
	const { status: result, reason, details, message } = JSON.parse(status.slice('3:'.length));
	assert.deepEqual([result, reason], ['Failure', 'NonZeroExitCode']);
	assert.deepEqual(details, { causes: [{ reason: 'ExitCode', message: '3' }] });
	assert.match(message, /^command terminated with non-zero exit code: .*exit code 3$/);
});

test('input that the client has not asked for is dropped', async () => {
	const { session } = await start({ tty: false });
	const bytes = Buffer.from('x');
	assert.equal(await session.send({ type: 'data', channel: CHANNELS.resize, bytes }), true);
	assert.equal(await session.send({ type: 'data', channel: CHANNELS.stdout, bytes }), true);
	await session.send({ type: 'data', channel: CHANNELS.stdin, bytes });
	await session.send({ type: 'end', channel: CHANNELS.stdin });
	assert.deepEqual(await read(session), ['1:x', `3:${SUCCESS}`]);
});

test('a terminal has no separate standard error', async () => {
	const asked: ExecConfig[] = [];
	await start({ command: ['true'], tty: true }, asked);
	const { tty, stdout, stderr } = asked[0] ?? {};
	assert.deepEqual([tty, stdout, stderr], [true, true, false]);
});

test('after a close by the client there is no Status, and the command is killed', async () => {
	const { session } = await start({});
	session.close();
	assert.deepEqual(await read(session), []);
});

test('a command that cannot start is refused', async () => {
	const { runtime, id } = await start({});
	await runtime.stopContainer(id, 0);
	const codeOf = async (): Promise<number> => {
		const error = await execIn(runtime, id, REQUEST).catch((reason: unknown) => reason);
		assert.ok(error instanceof ApiError);
		return error.code;
	};
	assert.equal(await codeOf(), 400);
	runtime.crash();
	assert.equal(await codeOf(), 503);
});
