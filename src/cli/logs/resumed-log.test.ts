import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApiRequest, ApiTransport } from '../../api/contract/transport.ts';
import type { ContainerStatus, Pod } from '../../api/core/pod/schema.ts';
import { serviceUnavailable } from '../../api/errors/api-error.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { Client } from '../../client/client.ts';
import { ServerUnreachableError } from '../../client/transport/server-unreachable.ts';
import { attemptOf, type LogPart, resumedLines } from './resumed-log.ts';

const LOST = new ServerUnreachableError('h:1', new Error('aborted'));

/** A log answer: its text, and the error with which it breaks off. */
type Answer = readonly [text: string, error?: Error];

function at(second: number, text: string): string {
	return `2026-01-01T00:00:0${second}.000000000Z ${text}`;
}

function podWith(status: Partial<ContainerStatus>): Pod {
	const containerStatuses = [
		{ name: 'main', ready: false, restartCount: 0, image: '', imageID: '', ...status },
	];
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'p', namespace: 'ns', uid: 'u' },
		spec: { restartPolicy: 'OnFailure', containers: [{ name: 'main' }] },
		status: { phase: 'Running', containerStatuses },
	};
}

const RUNNING = podWith({ containerID: 'a', state: { running: {} } });

/** Reads a log from a server that gives `answers`, and has `states` of the Pod, the last one for ever. */
async function read(
	answers: readonly Answer[],
	{
		states = [RUNNING],
		part = {},
		isEmbedded = false,
	}: { readonly states?: readonly Pod[]; readonly part?: LogPart; readonly isEmbedded?: boolean } = {},
) {
	const clock = new VirtualClock();
	const asked: ApiRequest['query'][] = [];
	const errors: unknown[] = [];
	const [left, pods] = [[...answers], [...states]];
	const unused = () => Promise.reject(new Error('unused'));
	const transport: ApiTransport = {
		request: async () => ({
			code: 200,
			object: pods.length > 1 ? pods.shift() : pods[0],
			warnings: [],
		}),
		watch: unused,
		duplex: unused,
		stream: async ({ query }) => {
			asked.push(query);
			const [text, error] = left.shift() ?? assert.fail('no more answers');
			if (error && text === '') throw error;
			return (async function* () {
				yield Buffer.from(text);
				if (error) throw error;
			})();
		},
	};
	const lines = resumedLines(attemptOf(RUNNING, 'main', 'follow'), {
		connection: { client: new Client(transport), namespace: 'ns', isEmbedded },
		clock,
		part,
		onError: (error) => errors.push(error),
	});
	const printed: string[] = [];
	const reading = (async (): Promise<unknown> => {
		try {
			for await (const some of lines) printed.push(...some);
			return undefined;
		} catch (error) {
			return error;
		}
	})();
	let isOver = false;
	void reading.then(() => {
		isOver = true;
	});
	while (!isOver) {
		await new Promise(setImmediate);
		clock.advance(2000);
	}
	return { printed, failure: await reading, asked, errors };
}

test('a log whose connection is lost continues after its last line, without the unfinished one', async () => {
	const { printed, failure, asked, errors } = await read(
		[
			[`${at(1, 'one')}\n${at(2, 'two')}\n${at(3, 'thr')}`, LOST],
			['', LOST],
			[`${at(2, 'two')}\n${at(3, 'three')}\n`],
		],
		{ part: { tailLines: 5, sinceSeconds: 60 } },
	);
	assert.equal(failure, undefined);
	assert.deepEqual(printed, ['one', 'two', 'three']);
	assert.deepEqual(errors, [LOST, LOST]);
	const rest = { container: 'main', timestamps: 'true', follow: 'true', sinceTime: at(2, '').trim() };
	assert.deepEqual(asked, [
		{ container: 'main', timestamps: 'true', follow: 'true', tailLines: '5', sinceSeconds: '60' },
		rest,
		rest,
	]);
});

test('times that were requested are printed', async () => {
	const log: readonly Answer[] = [[`${at(1, 'one')}\n`, LOST], [`${at(1, 'one')}\n${at(2, 'two')}`]];
	const { printed } = await read(log, { part: { timestamps: true } });
	assert.deepEqual(printed, [at(1, 'one'), at(2, 'two')]);
});

test('an embedded server is asked for lines without their times', async () => {
	const { printed, asked } = await read([['one\ntwo\n']], { isEmbedded: true });
	assert.deepEqual(printed, ['one', 'two']);
	assert.deepEqual(asked, [{ container: 'main', follow: 'true' }]);
});

test('the rest of a log is that of the same attempt, although its container was restarted', async () => {
	const ended = { terminated: { exitCode: 1, containerID: 'a' } };
	const states = [
		podWith({ containerID: 'a', state: ended }),
		podWith({ containerID: 'b', state: { running: {} }, lastState: ended }),
	];
	const log: readonly Answer[] = [[`${at(1, 'one')}\n`, LOST], [`${at(1, 'one')}\n${at(2, 'two')}\n`]];
	const { printed, asked } = await read(log, { states });
	assert.deepEqual(printed, ['one', 'two']);
	assert.deepEqual(
		asked.map((query) => [query?.follow, query?.previous]),
		[
			['true', undefined],
			[undefined, 'true'],
		],
	);
	const later = podWith({
		containerID: 'c',
		state: { running: {} },
		lastState: { terminated: { exitCode: 1, containerID: 'b' } },
	});
	const { failure } = await read(log, { states: [later] });
	assert.match(String(failure), /the rest of the log was removed before it could be read/);
});

test('a node agent that connects after its server is waited for, and no other error is', async () => {
	const away = serviceUnavailable('the node cannot be reached');
	const log: readonly Answer[] = [
		[`${at(1, 'one')}\n`, LOST],
		['', away],
		[`${at(1, 'one')}\n${at(2, 'two')}\n`],
	];
	const { printed, errors } = await read(log);
	assert.deepEqual([printed, errors], [['one', 'two'], [LOST]]);
	assert.equal((await read([['', away]])).failure, away);
	const forEver: readonly Answer[] = [[`${at(1, 'one')}\n`, LOST], ...Array(30).fill(['', away])];
	assert.equal((await read(forEver)).failure, away);
	assert.equal(
		(await read([[`${at(1, 'one')}\n`, LOST]], { part: { limitBytes: 100 } })).failure,
		LOST,
		'a limit in bytes counts the times',
	);
});
