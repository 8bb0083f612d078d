import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
	Server,
	ServerCredentials,
	type sendUnaryData,
	type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { SystemClock } from '../../../base/clock.ts';
import { RuntimeUnavailable } from '../../contract.ts';
import { describeRuntime } from '../description.ts';
import { CriClient, CriError } from './cri-client.ts';
import { CRI } from './cri-methods.ts';
import { decodeMessage, encodeMessage } from './message.ts';

const CLOCK = new SystemClock({ keepsAlive: true });

/** A client of a runtime that has these calls. */
async function connected(t: TestContext, calls: UntypedServiceImplementation): Promise<CriClient> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-cri-client-'));
	const socketPath = join(folder, 'socket');
	const server = new Server();
	const definition = (method: (typeof CRI)['version'] | (typeof CRI)['getContainerEvents']): object => ({
		path: method.path,
		requestStream: false,
		responseStream: method === CRI.getContainerEvents,
		requestSerialize: (value: object) => encodeMessage(method.request, value),
		requestDeserialize: (bytes: Buffer) => decodeMessage(method.request, bytes),
		responseSerialize: (value: object) => encodeMessage(method.response, value),
		responseDeserialize: (bytes: Buffer) => decodeMessage(method.response, bytes),
	});
	const all = { version: definition(CRI.version), getContainerEvents: definition(CRI.getContainerEvents) };
	const offered = Object.fromEntries(Object.entries(all).filter(([name]) => name in calls));
	server.addService(offered as Parameters<Server['addService']>[0], calls);
	await new Promise((resolve) =>
		server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), resolve),
	);
	const client = new CriClient(socketPath, CLOCK);
	t.after(async () => {
		await client.close();
		server.forceShutdown();
		rmSync(folder, { recursive: true });
	});
	return client;
}

test('an answer is decoded, and an error has the code and the words of the runtime', async (t) => {
	const errors = [
		{ code: 5, details: 'there is none' },
		{ code: 2, details: 'server is not initialized yet' },
		{ code: 14, details: 'going away' },
	];
	let calls = 0;
	const client = await connected(t, {
		version: (_: unknown, answer: sendUnaryData<object>) => {
			const error = errors[calls++ - 1];
			if (error) answer(error);
			else answer(null, { runtimeName: 'test', runtimeVersion: '1' });
		},
	});
	assert.deepEqual(await client.call(CRI.version, {}), { runtimeName: 'test', runtimeVersion: '1' });
	await assert.rejects(client.call(CRI.version, {}), (error) => {
		return error instanceof CriError && error.code === 5 && error.message === 'there is none';
	});
	for (let time = 0; time < 2; time++) await assert.rejects(client.call(CRI.version, {}), RuntimeUnavailable);
});

test('a socket on which nothing listens, and a closed client, are a lost runtime', async () => {
	const client = new CriClient('/nowhere/socket', CLOCK);
	await assert.rejects(
		client.call(CRI.version, {}),
		/^RuntimeUnavailable: .*\/nowhere\/socket cannot be reached/,
	);
	await client.close();
	await assert.rejects(client.call(CRI.version, {}), RuntimeUnavailable);
});

test('events are followed until the end of the stream, or until they are not wanted any more', async (t) => {
	const client = await connected(t, {
		getContainerEvents: (stream: { write(value: object): void; end(): void }) => {
			for (const containerId of ['a', 'b']) stream.write({ containerId, type: 1 });
			stream.end();
		},
	});
	let events = 0;
	const never = new AbortController().signal;
	assert.equal(await client.followEvents(() => events++, never), true);
	assert.equal(events, 2);
	const without = await connected(t, { version: () => undefined });
	assert.equal(await without.followEvents(() => events++, never), false);
	const waiting = await connected(t, {
		getContainerEvents: (stream: { write(value: object): void }) => stream.write({}),
	});
	const over = new AbortController();
	assert.equal(await waiting.followEvents(() => over.abort(), over.signal), true);
});

test('a containerd whose CRI is switched off ends the start with the setting', async (t) => {
	const client = await connected(t, { getContainerEvents: () => undefined });
	await assert.rejects(
		describeRuntime(client),
		/does not serve the CRI \(runtime\.v1\): is "cri" among the disabled_plugins/,
	);
});
