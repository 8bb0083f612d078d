import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import fs, {
	appendFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import type { ContainerLogRequest } from '../../api/contract/node-api.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import type { Runtime, RuntimeContainer } from '../../runtime/contract.ts';
import { RuntimeView } from '../pods/runtime-view.ts';
import { ContainerLogs } from './container-logs.ts';
import { LogFiles } from './log-files.ts';

const pod = {
	metadata: { name: 'p', namespace: 'ns', uid: 'u' },
	status: { containerStatuses: [{ name: 'main', restartCount: 1 }] },
} as unknown as Pod;

const common = {
	id: 'c',
	sandboxId: 's',
	podUid: 'u',
	name: 'main',
	attempt: 1,
	image: 'i',
	imageRef: 'i',
	createdAt: 0,
};
const running: RuntimeContainer = { ...common, logPath: '', state: 'running', startedAt: 0 };
const exited: RuntimeContainer = {
	...common,
	logPath: '',
	state: 'exited',
	finishedAt: 1,
	exitCode: 0,
	reason: 'Completed',
};

function open(t: test.TestContext) {
	const root = mkdtempSync(join(tmpdir(), 'stint-logs-'));
	t.after(() => rmSync(root, { recursive: true }));
	const files = new LogFiles(root);
	const folder = dirname(files.pathOf(pod, 'main', 0));
	mkdirSync(folder, { recursive: true });
	const view = new RuntimeView({} as Runtime, () => undefined);
	const clock = new VirtualClock(Date.UTC(2026, 0, 1, 0, 1));
	const logs = new ContainerLogs({ files, view, clock });
	return {
		folder,
		clock,
		logs,
		view,
		path: files.pathOf(pod, 'main', 1),
		previous: files.pathOf(pod, 'main', 0),
	};
}

function request(more: Partial<ContainerLogRequest> = {}): ContainerLogRequest {
	const plain = {
		namespace: 'ns',
		pod: 'p',
		container: 'main',
		follow: false,
		previous: false,
		timestamps: false,
	};
	return { ...plain, signal: new AbortController().signal, ...more };
}

async function text(pieces: AsyncIterable<Uint8Array>): Promise<string> {
	const all: Uint8Array[] = [];
	for await (const piece of pieces) all.push(piece);
	return Buffer.concat(all).toString();
}

/** A follower must return a line within a second after it was written. */
async function soon<T>(promise: Promise<T>): Promise<T> {
	const tooLate = AbortSignal.timeout(1000);
	const failed = new Promise<never>((_, reject) => {
		tooLate.addEventListener('abort', () => reject(new Error('the line did not come within a second')));
	});
	return await Promise.race([promise, failed]);
}

async function until(holds: () => boolean): Promise<void> {
	while (!holds()) await new Promise(setImmediate);
}

function line(second: number, content: string, tag = 'F'): string {
	return `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000001Z stdout ${tag} ${content}\n`;
}

test('a log request returns the lines, with the parts of a long line joined', async (t) => {
	const { logs, path } = open(t);
	writeFileSync(path, line(1, 'one') + line(2, 'tw', 'P') + line(2, 'o') + line(3, 'no end', 'P'));
	assert.equal(await text(await logs.read(pod, request())), 'one\ntwo\nno end');
});

test('a log request honours tailLines, sinceSeconds, sinceTime, timestamps and limitBytes', async (t) => {
	const { logs, path } = open(t);
	writeFileSync(path, line(1, 'one') + line(30, 'two') + line(59, 'three'));
	const read = async (more: Partial<ContainerLogRequest>) => text(await logs.read(pod, request(more)));
	assert.equal(await read({ tailLines: 2 }), 'two\nthree\n');
	assert.equal(await read({ tailLines: 0 }), '');
	assert.equal(await read({ sinceSeconds: 40 }), 'two\nthree\n');
	assert.equal(await read({ sinceTime: '2026-01-01T00:00:45Z' }), 'three\n');
	assert.equal(await read({ timestamps: true, tailLines: 1 }), '2026-01-01T00:00:59.000000001Z three\n');
	assert.equal(await read({ limitBytes: 5 }), 'one\nt');
});

test('rotated parts come before the current file', async (t) => {
	const { logs, path } = open(t);
	writeFileSync(`${path}.0000000000000000`, line(1, 'one'));
	writeFileSync(`${path}.0000000000000001`, line(2, 'two'));
	writeFileSync(path, line(3, 'three'));
	assert.equal(await text(await logs.read(pod, request())), 'one\ntwo\nthree\n');
});

test('previous returns the log of the attempt before the current one', async (t) => {
	const { logs, previous } = open(t);
	writeFileSync(previous, line(1, 'before'));
	assert.equal(await text(await logs.read(pod, request({ previous: true }))), 'before\n');
});

test('follow returns new lines, across a rotation, until the container exits', async (t) => {
	const { logs, view, path } = open(t);
	view.noteContainer(running);
	writeFileSync(path, line(1, 'one'));
	const pieces = (await logs.read(pod, request({ follow: true })))[Symbol.asyncIterator]();
	const next = async (): Promise<string> => Buffer.from((await pieces.next()).value ?? []).toString();
	assert.equal(await next(), 'one\n');
	appendFileSync(path, line(2, 'two'));
	assert.equal(await next(), 'two\n');
	renameSync(path, `${path}.0000000000000000`);
	writeFileSync(path, line(3, 'three'));
	assert.equal(await next(), 'three\n');
	appendFileSync(path, line(4, 'last'));
	view.noteContainer(exited);
	logs.wake('u');
	assert.equal(await next(), 'last\n');
	assert.equal((await pieces.next()).done, true);
});

test('follow finds a change without a file system event within half a second', async (t) => {
	const silent = (): EventEmitter => Object.assign(new EventEmitter(), { close: () => undefined });
	t.mock.method(fs, 'watch', silent);
	syncBuiltinESMExports();
	const { logs, view, path, clock } = open(t);
	view.noteContainer(running);
	const pieces = (await logs.read(pod, request({ follow: true })))[Symbol.asyncIterator]();
	const next = pieces.next();
	await until(() => clock.nextDue() !== undefined);
	t.mock.restoreAll();
	syncBuiltinESMExports();
	appendFileSync(path, line(1, 'one'));
	clock.advance(500);
	assert.equal(Buffer.from((await next).value ?? []).toString(), 'one\n');
	await pieces.return?.();
});

test('follow reads a log to its end although it is removed meanwhile', async (t) => {
	const { logs, view, folder, path } = open(t);
	view.noteContainer(running);
	writeFileSync(path, line(1, 'one'));
	const pieces = (await logs.read(pod, request({ follow: true })))[Symbol.asyncIterator]();
	assert.equal(Buffer.from((await pieces.next()).value ?? []).toString(), 'one\n');
	renameSync(path, `${path}.0000000000000000`);
	writeFileSync(path, line(2, 'two'));
	view.noteContainer(exited);
	await logs.remove('u');
	assert.equal(existsSync(dirname(folder)), false);
	logs.wake('u');
	assert.equal(await text({ [Symbol.asyncIterator]: () => pieces }), 'two\n');
});

test('lines that rotation removed are counted in their place if the request selects them', async (t) => {
	const { logs, path } = open(t);
	writeFileSync(`${path}.0000000000000003`, line(10, 'one'));
	writeFileSync(`${path}.0000000000000009`, line(20, 'two'));
	const read = async (more: Partial<ContainerLogRequest>) => text(await logs.read(pod, request(more)));
	const gap = (lines: number): string =>
		`[stint: ${lines} lines of this log are missing here: rotation removed them before they were read]\n`;
	assert.equal(await read({}), `${gap(3)}one\n${gap(5)}two\n`);
	const at = (second: number): string => `2026-01-01T00:00:${second}.000000001Z `;
	assert.equal(
		await read({ timestamps: true }),
		`${at(10)}${gap(3)}${at(10)}one\n${at(20)}${gap(5)}${at(20)}two\n`,
	);
	assert.equal(await read({ tailLines: 1 }), 'two\n');
	assert.equal(await read({ tailLines: 2 }), `one\n${gap(5)}two\n`);
	assert.equal(await read({ tailLines: 3 }), `${gap(3)}one\n${gap(5)}two\n`);
	assert.equal(await read({ sinceTime: '2026-01-01T00:00:15Z' }), `${gap(8)}two\n`);
	assert.equal(await read({ sinceTime: '2026-01-01T00:00:25Z' }), '');
});

test('tailLines counts complete lines, also if the parts of both streams alternate', async (t) => {
	const { logs, path } = open(t);
	const error = line(2, 'error').replace('stdout', 'stderr');
	writeFileSync(path, line(1, 'one') + line(2, 'tw', 'P') + error + line(3, 'o') + line(4, 'thr', 'P'));
	const read = async (tailLines: number) => text(await logs.read(pod, request({ tailLines })));
	assert.equal(await read(1), 'thr');
	assert.equal(await read(2), 'two\nthr');
	assert.equal(await read(3), 'error\ntwo\nthr');
	assert.equal(await read(9), 'one\nerror\ntwo\nthr');
});

test('a time stands only at the start of a line, also if the parts of both streams alternate', async (t) => {
	const { logs, path } = open(t);
	const error = line(2, 'error').replace('stdout', 'stderr');
	writeFileSync(path, line(1, 'tw', 'P') + error + line(3, 'o'));
	const plain = await text(await logs.read(pod, request()));
	const timed = await text(await logs.read(pod, request({ timestamps: true })));
	assert.equal(plain, 'twerror\no\n');
	assert.equal(timed.replaceAll(/^2026\S+ /gm, ''), plain);
});

test('a large tail is returned in pieces', async (t) => {
	const { logs, path } = open(t);
	const lines = Array.from({ length: 10_000 }, (_, index) => line(1, String(index)));
	writeFileSync(path, lines.join(''));
	const pieces: string[] = [];
	for await (const piece of await logs.read(pod, request({ tailLines: 9000 }))) {
		assert.ok(piece.length <= 64 * 1024);
		pieces.push(Buffer.from(piece).toString());
	}
	assert.ok(pieces.length > 3);
	const expected = Array.from({ length: 9000 }, (_, index) => `${index + 1000}\n`);
	assert.equal(pieces.join(''), expected.join(''));
});

test('follow with tailLines starts with that many lines, and ends when the client disconnects', async (t) => {
	const { logs, view, path } = open(t);
	view.noteContainer(running);
	writeFileSync(path, line(1, 'one') + line(2, 'two'));
	const reader = new AbortController();
	const following = request({ follow: true, tailLines: 1, signal: reader.signal });
	const pieces = (await logs.read(pod, following))[Symbol.asyncIterator]();
	assert.equal(Buffer.from((await pieces.next()).value ?? []).toString(), 'two\n');
	const end = pieces.next();
	reader.abort();
	assert.equal((await end).done, true);
});

test('previous is a BadRequest for a container that never restarted', async (t) => {
	const { logs, view } = open(t);
	view.noteContainer({ ...running, attempt: 0 });
	await assert.rejects(logs.read(pod, request({ previous: true })), {
		message: 'previous terminated container "main" in pod "p" not found',
	});
});

test('a log request returns bytes that are not UTF-8 unchanged', async (t) => {
	const { logs, path } = open(t);
	const bytes = Buffer.from([0xff, 0x00, 0xfe]);
	writeFileSync(
		path,
		Buffer.concat([Buffer.from(line(1, '').trimEnd()), Buffer.from(' '), bytes, Buffer.from('\n')]),
	);
	const pieces: Uint8Array[] = [];
	for await (const piece of await logs.read(pod, request())) pieces.push(piece);
	assert.deepEqual(Buffer.concat(pieces), Buffer.concat([bytes, Buffer.from('\n')]));
});

test('follow returns the first line although it was requested before the log existed', async (t) => {
	const { logs, view, path } = open(t);
	rmSync(dirname(path), { recursive: true });
	view.noteContainer(running);
	const stop = new AbortController();
	const pieces = (await logs.read(pod, request({ follow: true, signal: stop.signal })))[
		Symbol.asyncIterator
	]();
	const first = pieces.next();
	// The follower must find an empty log before the runtime writes.
	await new Promise(setImmediate);
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, line(1, 'one'));
	// No forced check happens, since the virtual clock does not advance: only the folder watch can find the line.
	assert.equal(Buffer.from((await soon(first)).value ?? '').toString(), 'one\n');
	const second = pieces.next();
	appendFileSync(path, line(2, 'two'));
	assert.equal(Buffer.from((await soon(second)).value ?? '').toString(), 'two\n');
	stop.abort();
	assert.equal((await pieces.next()).done, true);
});

test('the log path of a Pod with the longest possible name can be created', (t) => {
	const root = mkdtempSync(join(tmpdir(), 'stint-logs-'));
	t.after(() => rmSync(root, { recursive: true }));
	const uid = '6f4ad0f9-9d5a-4a4a-9a25-bd7b3e0a9d1c';
	const metadata = { namespace: 'n'.repeat(63), name: 'p'.repeat(253), uid };
	const path = new LogFiles(root).pathOf({ ...pod, metadata }, 'c'.repeat(63), 0);
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, '');
});
