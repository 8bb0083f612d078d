/** Short forms of writes to and reads from a store under test. */

import assert from 'node:assert/strict';
import type { RangeRequest, Revision, Store } from '../store.ts';
import { create, type Plain, plainEntry, RecordingSink, remove, update } from './recording-sink.ts';

/** Writes a short history with every kind of change: {@link CHURN} are its changes as text. */
export async function churn(store: Store): Promise<void> {
	await create(store, 'a', 'one');
	await create(store, 'b', 'one');
	await update(store, 'a', 'two', 1);
	await remove(store, 'b', 2);
}

export const CHURN = [
	'1 put a=one (created 1)',
	'2 put b=one (created 2)',
	'3 put a=two (created 1), was one at 1',
	'4 delete b, was one at 2',
];

/** Writes `count` changes. */
export async function fill(store: Store, count: number): Promise<void> {
	filled += 1;
	await Promise.all(
		Array.from({ length: count }, (_, index) => create(store, `f/${filled}/${index}`, 'one')),
	);
}

let filled = 0;

export async function read(store: Store, name: string): Promise<Plain | undefined> {
	const entry = await store.get(name);
	return entry && plainEntry(entry);
}

export async function unchanged(store: Store, entry: Plain): Promise<void> {
	assert.deepEqual(await read(store, entry.key), entry);
	const sink = new RecordingSink();
	store.watch({ prefix: '', after: 0 }, sink);
	await sink.untilRevision(store.revision);
	assert.deepEqual(sink.revisions, counting(1, store.revision));
}

interface Listed {
	readonly revision: Revision;
	readonly keys: readonly string[];
	readonly texts: readonly string[];
	readonly more: boolean;
}

export async function list(store: Store, request: RangeRequest): Promise<Listed> {
	const { revision, entries, more } = await store.range(request);
	const plain = entries.map(plainEntry);
	return {
		revision,
		keys: plain.map((entry) => entry.key),
		texts: plain.map((entry) => `${entry.key}=${entry.text}`),
		more,
	};
}

export function key(index: number): string {
	return `k/${String(index).padStart(4, '0')}`;
}

export function counting(first: number, count: number): readonly number[] {
	return Array.from({ length: count }, (_, index) => first + index);
}
