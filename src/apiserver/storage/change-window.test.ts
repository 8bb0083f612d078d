import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaces } from '../../api/core/namespace/definition.ts';
import { ChangeWindow, ObjectChange } from './change-window.ts';
import { ResourceCodec, StoredObject } from './stored-object.ts';

const codec = new ResourceCodec(namespaces);

/** A change that replaces an object of this many bytes. */
function change(revision: number, bytes = 100): ObjectChange {
	const stored = (at: number): StoredObject =>
		new StoredObject(codec, { key: 'k', revision: at, value: new Uint8Array(bytes) });
	return new ObjectChange(revision, stored(revision - 1), stored(revision));
}

function revisions(window: ChangeWindow, after: number): readonly number[] | undefined {
	return window.changesAfter(after)?.map(({ revision }) => revision);
}

test('wherever the window starts, it has every later change', () => {
	const window = new ChangeWindow();
	window.reset(10);
	assert.equal(window.changesAfter(9), undefined);
	for (let revision = 11; revision <= 10_010; revision++) {
		window.push(change(revision));
		if (revision % 97 > 0) continue;
		for (const after of [window.start, window.start + 1, revision - 300, revision - 1, revision]) {
			if (after < window.start) continue;
			assert.equal(window.after(after)?.revision, after === revision ? undefined : after + 1);
			assert.equal(window.changesAfter(after)?.length, revision - after);
		}
	}
	assert.deepEqual(revisions(window, 10_008), [10_009, 10_010]);
	assert.deepEqual(revisions(window, 10_011), []);
	assert.equal(window.changesAfter(window.start - 1), undefined);
});

test('the window keeps two thousand small changes', () => {
	const window = new ChangeWindow();
	for (let revision = 1; revision <= 5000; revision++) window.push(change(revision));
	assert.equal(window.start, 3000);
});

test('a position may be in a gap that revisions of other resources leave', () => {
	const window = new ChangeWindow();
	for (const revision of [10, 20, 30]) window.push(change(revision));
	assert.deepEqual(revisions(window, 15), [20, 30]);
	assert.equal(window.after(20)?.revision, 30);
	assert.equal(window.after(29)?.revision, 30);
	assert.equal(window.after(30), undefined);
});

test('large replaced objects shorten the window', () => {
	const window = new ChangeWindow();
	for (let revision = 1; revision <= 100; revision++) window.push(change(revision, 500_000));
	assert.deepEqual(revisions(window, window.start), [97, 98, 99, 100]);
	window.push(change(101, 5_000_000));
	assert.equal(window.start, 101);
	assert.equal(window.after(101), undefined);
	window.push(change(102));
	assert.equal(window.after(101)?.revision, 102);
});
