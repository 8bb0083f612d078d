import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { FifoSet } from './fifo-set.ts';

test('after random additions and deletions it has the elements of a Set and the right first element', () => {
	const step = fc.record({
		act: fc.constantFrom('add', 'delete', 'renew'),
		item: fc.nat(8),
		readsFirst: fc.boolean(),
	});
	fc.assert(
		fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
			const set = new FifoSet<number>();
			const model = new Set<number>();
			for (const { act, item, readsFirst } of steps) {
				const isThere = model.has(item);
				if (act === 'add') set.add(item);
				else assert.equal(act === 'renew' ? set.renew(item) : set.delete(item), isThere);
				if (act !== 'add') model.delete(item);
				if (act === 'add' || (act === 'renew' && isThere)) model.add(item);
				assert.equal(set.has(item), model.has(item));
				assert.equal(set.size, model.size);
				assert.deepEqual([...set], [...model]);
				if (readsFirst) assert.equal(set.first, [...model][0]);
			}
		}),
	);
});

test('undefined can be an element', () => {
	const set = new FifoSet<undefined>();
	set.add(undefined);
	assert.equal(set.first, undefined);
	assert.ok(set.delete(undefined));
	assert.equal(set.size, 0);
});

test('removing the first element repeatedly takes linear time', () => {
	const set = new FifoSet<number>();
	for (let item = 0; item < 300_000; item++) set.add(item);
	const started = process.cpuUsage();
	for (let item = 0; item < 300_000; item++) assert.ok(set.delete(set.first ?? -1));
	const { user, system } = process.cpuUsage(started);
	assert.equal(set.size, 0);
	// With a plain Set this takes half a minute.
	assert.ok(user + system < 3_000_000, `took ${(user + system) / 1000} ms of CPU`);
});

test('deleted elements are not kept in memory', () => {
	const set = new FifoSet<object>();
	const bytes = (): number => {
		globalThis.gc?.();
		return process.memoryUsage().heapUsed;
	};
	setFlagsFromString('--expose-gc');
	globalThis.gc ??= runInNewContext('gc');
	set.add({});
	const before = bytes();
	for (let time = 0; time < 1_000_000; time++) {
		const item = {};
		set.add(item);
		set.delete(item);
	}
	assert.equal(set.size, 1);
	assert.ok(bytes() - before < 10_000_000, `${bytes() - before} bytes are kept`);
});
