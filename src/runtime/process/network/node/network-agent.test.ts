import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { on, once } from 'node:events';
import { Server } from 'node:net';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { type AgentRequest, agentReadyOf, type TakenNote } from './agent-protocol.ts';

test('the agent continues after the server could not take a socket', async (t) => {
	const main = fileURLToPath(new URL('./network-agent-main.ts', import.meta.url));
	const agent = fork(main, { stdio: ['pipe', 'ignore', 'inherit', 'ipc'] });
	t.after(() => agent.disconnect());
	const listen = (id: number): void => {
		const request: AgentRequest = { id, kind: 'listen', host: '127.0.0.1', port: 0 };
		agent.send(request);
	};
	const messages = on(agent, 'message');
	const next = async (): Promise<readonly unknown[]> => (await messages.next()).value ?? [];
	const [first] = await next();
	assert.deepEqual(agentReadyOf(first), { ready: true });
	const take = async (id: number): Promise<void> => {
		const [answer, socket] = await next();
		assert.deepEqual(answer, { id });
		assert.ok(socket instanceof Server);
		socket.close();
		await once(socket, 'close');
	};
	listen(1);
	listen(2);
	await take(1);
	// As if that socket had been lost: nothing says that it was taken.
	const [refused] = await next();
	const { id, error } = Object(refused);
	assert.equal(id, 1);
	assert.match(error.message, /too many files open/);
	await take(2);
	const taken: TakenNote = { taken: 2 };
	agent.send(taken);
	listen(3);
	await take(3);
});
