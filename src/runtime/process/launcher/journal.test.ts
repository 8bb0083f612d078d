import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
	appendFileSync,
	existsSync,
	ftruncateSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { RuntimeContainer } from '../../contract.ts';
import { metadataOf } from '../../ids.ts';
import { sandboxConfig } from '../../testing/configs.ts';
import { Journal, type JournalCalls, readJournal } from './journal.ts';
import type { JournalEntry } from './journal-entry.ts';
import type { HostSandbox } from './protocol.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-journal-'));
after(() => rmSync(folder, { recursive: true }));

const sandbox: HostSandbox = {
	id: 'u_0',
	config: { ...metadataOf(sandboxConfig('p')), namespaces: sandboxConfig('p').namespaces, sysctls: {} },
	state: 'ready',
	ip: '127.0.0.1',
	createdAt: 1,
};

function container(id: string): RuntimeContainer {
	const names = { sandboxId: 'u_0', podUid: 'u', name: 'c', attempt: 0, image: 'i', imageRef: 'i' };
	return { id, ...names, createdAt: 2, logPath: '/log', state: 'created' };
}

interface Options {
	readonly current?: () => Iterable<JournalEntry>;
	readonly calls?: JournalCalls;
	readonly onError?: (error: unknown) => void;
}

function open(path: string, options: Options = {}): Journal {
	const onError = (error: unknown): void => assert.fail(String(error));
	return new Journal({ path, current: () => [], onError, ...options });
}

/** System calls of a disk with the given free space in bytes. */
class Disk implements JournalCalls {
	left: number;
	cuts = true;

	constructor(left: number) {
		this.left = left;
	}

	write(fd: number, bytes: Uint8Array): number {
		const length = Math.min(bytes.length, this.left);
		if (length === 0 && bytes.length > 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
		this.left -= length;
		return writeSync(fd, bytes.subarray(0, length));
	}

	truncate(fd: number, size: number): void {
		if (!this.cuts) throw new Error('it cannot be truncated');
		ftruncateSync(fd, size);
	}
}

const idsIn = (path: string): readonly string[] => [...readJournal(path).containers.keys()];

test('reading returns the appended entries, of which the last one per object counts', () => {
	const path = join(folder, 'one');
	const journal = open(path, { current: () => [{ boot: 'b' }] });
	journal.append({ sandbox, folder: '0' });
	journal.append({ container: container('a') });
	journal.append({ process: { pid: 7, start: '99', startedAt: 3 }, of: 'a' });
	journal.append({ container: container('b') });
	journal.append({ containerGone: 'b' });
	journal.close();
	const state = readJournal(path);
	assert.equal(state.boot, 'b');
	assert.deepEqual([...state.sandboxes.values()], [{ sandbox, folder: '0' }]);
	assert.deepEqual([...state.containers.keys()], ['a']);
	assert.equal(state.processes.get('a')?.pid, 7);
});

test('a torn last line is skipped', () => {
	const path = join(folder, 'torn');
	const journal = open(path);
	journal.append({ container: container('a') });
	journal.close();
	appendFileSync(path, '{"container":{"id":"b","sta');
	assert.deepEqual([...readJournal(path).containers.keys()], ['a']);
});

test('a missing journal is an empty state', () => {
	assert.equal(readJournal(join(folder, 'missing')).containers.size, 0);
});

test('the journal does not grow with removed objects', () => {
	const path = join(folder, 'grown');
	const current: JournalEntry[] = [{ boot: 'b' }, { sandbox, folder: '0' }];
	const journal = open(path, { current: () => current });
	for (let index = 0; index < 10_000; index++) {
		journal.append({ container: container(`c${index}`) });
		journal.append({ containerGone: `c${index}` });
	}
	journal.close();
	assert.ok(statSync(path).size < 1 << 20);
	const state = readJournal(path);
	assert.equal(state.containers.size, 0);
	assert.deepEqual([...state.sandboxes.keys()], ['u_0']);
});

test('append throws on a full disk and leaves no part of the line', () => {
	const path = join(folder, 'refused');
	const disk = new Disk(10_000);
	const journal = open(path, { calls: disk });
	journal.append({ container: container('a') });
	disk.left = 10;
	assert.throws(() => journal.append({ container: container('b') }), { code: 'ENOSPC' });
	disk.left = 10_000;
	journal.append({ container: container('c') });
	assert.deepEqual(idsIn(path), ['a', 'c']);
	assert.equal(readJournal(path).damagedLines, 0);
	journal.close();
});

test('a torn line that cannot be truncated damages no other line', () => {
	const path = join(folder, 'torn-line');
	const disk = new Disk(10_000);
	disk.cuts = false;
	const journal = open(path, { calls: disk });
	disk.left = 10;
	assert.throws(() => journal.append({ container: container('b') }));
	disk.left = 10_000;
	journal.append({ container: container('c') });
	assert.deepEqual(idsIn(path), ['c']);
	assert.equal(readJournal(path).damagedLines, 1);
	journal.close();
});

test('recorded lines that a full disk refuses are reported once, and written in order once there is space', () => {
	const path = join(folder, 'behind');
	const disk = new Disk(10_000);
	const errors: unknown[] = [];
	const journal = open(path, { calls: disk, onError: (error) => errors.push(error) });
	disk.left = 0;
	for (const id of ['a', 'b']) journal.record({ container: container(id) });
	assert.ok(journal.isBehind && errors.length === 1);
	assert.throws(() => journal.append({ container: container('c') }), { code: 'ENOSPC' });
	disk.left = 250;
	journal.save(() => {});
	assert.ok(journal.isBehind);
	disk.left = 10_000;
	journal.append({ containerGone: 'a' });
	assert.equal(journal.isBehind, false);
	assert.deepEqual(idsIn(path), ['b']);
	journal.close();
});

test('a failed rewrite changes nothing: the journal keeps using the old file', () => {
	const path = join(folder, 'kept');
	const errors: unknown[] = [];
	let room = Number.POSITIVE_INFINITY;
	const calls: JournalCalls = {
		truncate: ftruncateSync,
		write: (fd, bytes) => {
			if (bytes.length > room) throw new Error('there is room for a line, and not for all that there is');
			return writeSync(fd, bytes);
		},
	};
	let current: readonly JournalEntry[] = [];
	const journal = open(path, { calls, current: () => current, onError: (error) => errors.push(error) });
	const line = { container: { ...container('x'), logPath: 'l'.repeat(100_000) } };
	for (let count = 0; count < 11; count++) journal.append(line);
	current = [line, line];
	room = 150_000;
	journal.append({ container: container('last') });
	assert.equal(errors.length, 1);
	assert.deepEqual(idsIn(path), ['x', 'last']);
	assert.equal(existsSync(`${path}.next`), false);
	room = Number.POSITIVE_INFINITY;
	for (let count = 0; count < 50; count++) journal.append(line);
	assert.ok(statSync(path).size < 2 << 20, 'it is written anew later');
	journal.close();
});

test('a rewrite loses no entry whose change has not been made yet', () => {
	const path = join(folder, 'about');
	const journal = open(path);
	const filler = { containerGone: 'f'.repeat(200_000) };
	for (let count = 0; count < 20; count++) {
		journal.append({ container: container(`c${count}`) });
		assert.ok(idsIn(path).includes(`c${count}`), `${count}`);
		journal.append(filler);
	}
	journal.close();
});

test('a journal that cannot be rewritten at the start keeps using the existing file', () => {
	const path = join(folder, 'used-on');
	const before = open(path);
	before.append({ container: container('a') });
	before.close();
	appendFileSync(path, '{"torn');
	const disk = new Disk(0);
	const errors: unknown[] = [];
	const current = (): readonly JournalEntry[] => [{ boot: 'b' }];
	const journal = open(path, { calls: disk, current, onError: (error) => errors.push(error) });
	assert.equal(errors.length, 1);
	disk.left = 10_000;
	journal.append({ container: container('b') });
	assert.deepEqual(idsIn(path), ['a', 'b']);
	journal.close();
	const missing = join(folder, 'nowhere', 'journal');
	assert.throws(() => open(missing), { code: 'ENOENT' });
});

test('lines that cannot be decoded are skipped and counted', () => {
	const path = join(folder, 'damaged');
	const good = { container: container('a') };
	const bad = [
		...['null', '5', '"text"', '[]', '{}', 'garbage', '{"boot":5}', '{"containerGone":null}'],
		...['{"process":{"pid":1,"startedAt":0},"of":"a"}', '{"process":{"pid":-5,"startedAt":0},"of":"a"}'],
		JSON.stringify({ sandbox, folder: '../../precious' }),
		JSON.stringify({ sandbox: { ...sandbox, config: null }, folder: '0' }),
		JSON.stringify({ container: { ...container('b'), state: 'exited' } }),
		JSON.stringify({ container: { ...container('b'), state: 'floating' } }),
	];
	writeFileSync(path, [...bad, JSON.stringify(good), ''].join('\n'));
	const state = readJournal(path);
	assert.equal(state.damagedLines, bad.length);
	assert.deepEqual([...state.containers.keys()], ['a']);
	assert.deepEqual([state.sandboxes.size, state.processes.size, state.boot], [0, 0, '']);
});

test('of two sandboxes with one folder only the later exists, although the line about the removal is damaged', () => {
	const path = join(folder, 'shared');
	const journal = open(path);
	journal.append({ sandbox, folder: '0' });
	journal.append({ sandbox: { ...sandbox, id: 'later' }, folder: '0' });
	journal.close();
	assert.deepEqual([...readJournal(path).sandboxes.keys()], ['later']);
});

test('a journal that is not a regular file is an error with its path and what to do', () => {
	for (const make of [
		(path: string) => mkdirSync(path),
		(path: string) => symlinkSync('/dev/zero', path),
		(path: string) => execFileSync('mkfifo', [path]),
	]) {
		const path = join(folder, 'no-file');
		make(path);
		assert.throws(
			() => readJournal(path),
			/cannot read the journal .*no-file, .*: .*; to discard these Pods, move the file away/,
		);
		rmSync(path, { recursive: true });
	}
});
