import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApiWatchSink } from '../api/contract/transport.ts';
import { ApiError, expired } from '../api/errors/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { setSource } from '../api/meta/object-source.ts';
import { SeededRandom } from '../base/testing/seeded-random.ts';
import { VirtualClock } from '../base/testing/virtual-clock.ts';
import type { ListOptions, ObjectList } from './client.ts';
import { Informer, type InformerOptions } from './informer.ts';

function object(name: string, revision: number, team = 'a'): KubeObject {
	const metadata = { namespace: 'ns', name, resourceVersion: String(revision), labels: { team } };
	return { apiVersion: 'v1', kind: 'Thing', metadata };
}

/** A source that the test controls: it answers lists from `items` and exposes the watch's sink. */
class Source {
	items: readonly KubeObject[] = [];
	revision = 1;
	readonly lists: ListOptions[] = [];
	readonly watches: ListOptions[] = [];
	#sink = Promise.withResolvers<ApiWatchSink>();

	list(options: ListOptions = {}): Promise<ObjectList<KubeObject>> {
		this.lists.push(options);
		return Promise.resolve({ metadata: { resourceVersion: String(this.revision) }, items: this.items });
	}

	watch(options: ListOptions, sink: ApiWatchSink): Promise<{ stop(): void }> {
		this.watches.push(options);
		this.#sink.resolve(sink);
		return Promise.resolve({ stop: () => undefined });
	}

	async nextSink(): Promise<ApiWatchSink> {
		const sink = await this.#sink.promise;
		this.#sink = Promise.withResolvers<ApiWatchSink>();
		return sink;
	}
}

function start(t: test.TestContext, source: Source, options: Partial<InformerOptions<KubeObject>> = {}) {
	const clock = new VirtualClock();
	const indexes = { team: (each: KubeObject) => [each.metadata.labels?.team ?? ''] };
	const informer = new Informer<KubeObject>(source, { clock, indexes, ...options });
	const stop = new AbortController();
	const running = informer.run(stop.signal);
	t.after(async () => {
		stop.abort();
		await running;
	});
	return { informer, clock };
}

test('an update that changes the indexed values of an object removes it from the old ones', async (t) => {
	const source = new Source();
	const { informer } = start(t, source);
	const sink = await source.nextSink();
	const names = (team: string) => informer.indexed('team', team).map((each) => each.metadata.resourceVersion);
	sink.events([{ type: 'ADDED', object: object('one', 2, 'a') }]);
	sink.events([{ type: 'ADDED', object: object('two', 3, 'a') }]);
	sink.events([{ type: 'MODIFIED', object: object('one', 4, 'a') }]);
	assert.deepEqual(names('a'), ['4', '3']);
	sink.events([{ type: 'MODIFIED', object: object('one', 5, 'b') }]);
	assert.deepEqual([names('a'), names('b')], [['3'], ['5']]);
});

test('look-ups and handlers still get a released object', async (t) => {
	const source = new Source();
	const { informer } = start(t, source);
	const sink = await source.nextSink();
	const one = object('one', 2, 'a');
	setSource(one, { object: object('one', 2, 'a') });
	sink.events([{ type: 'ADDED', object: one }]);
	informer.release(one);
	assert.notEqual(informer.get('ns', 'one'), one);
	assert.deepEqual(informer.get('ns', 'one'), one);
	assert.deepEqual(informer.indexed('team', 'a'), [one]);
	assert.deepEqual(informer.indexedMetadata('team', 'a')[0]?.metadata, one.metadata);
	assert.deepEqual(await informer.select(({ metadata }) => metadata.labels?.team === 'a'), [one]);
	const calls: unknown[] = [];
	informer.subscribe((now, old) =>
		calls.push([now?.metadata.resourceVersion, old?.metadata.resourceVersion]),
	);
	// An older version, or the same version again, is no change.
	sink.events([{ type: 'MODIFIED', object: object('one', 2, 'b') }]);
	sink.events([{ type: 'MODIFIED', object: object('one', 3, 'b') }]);
	sink.events([{ type: 'DELETED', object: object('one', 4, 'b') }]);
	assert.deepEqual(calls, [
		['2', undefined],
		['3', '2'],
		[undefined, '3'],
	]);
	assert.deepEqual(informer.indexed('team', 'a'), []);
});

test('an iteration over many objects lets other work run in between', async (t) => {
	const source = new Source();
	source.items = Array.from({ length: 1000 }, (_, i) => object(`o${i}`, 1));
	const { informer } = start(t, source);
	await informer.synced;
	let turns = 0;
	let looking = true;
	const count = (): void => {
		turns += 1;
		if (looking) setImmediate(count);
	};
	setImmediate(count);
	assert.equal((await informer.select(() => true)).length, 1000);
	looking = false;
	assert.ok(turns >= 8, `${turns} turns`);
});

test('waits for changes resolve to false when the informer is stopped, and at once after that', async () => {
	const source = new Source();
	const bare = object('one', 1);
	const one = { ...bare, metadata: { ...bare.metadata, uid: 'u' } };
	source.items = [one];
	const informer = new Informer<KubeObject>(source, { clock: new VirtualClock() });
	const stop = new AbortController();
	const running = informer.run(stop.signal);
	const sink = await source.nextSink();
	const waiting = [informer.reached('9'), informer.left(one), informer.reached('2')];
	sink.events([{ type: 'BOOKMARK', object: object('', 2) }]);
	stop.abort();
	assert.deepEqual(await Promise.all(waiting), [false, false, true]);
	assert.deepEqual(await Promise.all([informer.reached('9'), informer.left(one)]), [false, false]);
	await running;
});

test('a stopped informer resolves all waits even if its server does not answer', async () => {
	const never = new Promise<never>(() => undefined);
	const informer = new Informer<KubeObject>(
		{ list: () => never, watch: () => never },
		{ clock: new VirtualClock() },
	);
	const stop = new AbortController();
	void informer.run(stop.signal);
	const waiting = informer.reached('1');
	stop.abort();
	assert.equal(await waiting, false);
});

test('the cache and its indexes follow list and watch', async (t) => {
	const source = new Source();
	source.items = [object('one', 1), object('two', 1, 'b')];
	const { informer } = start(t, source);
	const sink = await source.nextSink();
	assert.deepEqual(
		informer.indexed('team', 'b').map((each) => each.metadata.name),
		['two'],
	);
	sink.events([
		{ type: 'MODIFIED', object: object('two', 2, 'a') },
		{ type: 'DELETED', object: object('one', 3) },
	]);
	assert.deepEqual(informer.indexed('team', 'b'), []);
	assert.deepEqual(
		informer.indexed('team', 'a').map((each) => each.metadata.name),
		['two'],
	);
	assert.equal(informer.get('ns', 'one'), undefined);
	assert.equal(informer.revision, 3);
});

test('an older version never replaces a newer one', async (t) => {
	const source = new Source();
	source.items = [object('one', 7)];
	source.revision = 7;
	const { informer } = start(t, source);
	const sink = await source.nextSink();
	sink.events([{ type: 'MODIFIED', object: object('one', 5) }]);
	assert.equal(informer.get('ns', 'one')?.metadata.resourceVersion, '7');
	assert.equal(informer.revision, 7);
});

test('left() resolves once the cache no longer contains the object', async (t) => {
	const source = new Source();
	const [one, two] = ['one', 'two'].map((name) => {
		const { metadata, ...rest } = object(name, 1);
		return { ...rest, metadata: { ...metadata, uid: `uid of ${name}` } };
	});
	assert.ok(one && two);
	source.items = [one, two];
	const { informer } = start(t, source);
	const sink = await source.nextSink();
	const resolved: string[] = [];
	void informer.left(one).then(() => resolved.push('one'));
	void informer.left(two).then(() => resolved.push('two'));
	sink.events([
		{ type: 'MODIFIED', object: { ...one, metadata: { ...one.metadata, resourceVersion: '2' } } },
	]);
	await new Promise(setImmediate);
	assert.deepEqual(resolved, []);
	sink.events([{ type: 'DELETED', object: one }]);
	await new Promise(setImmediate);
	assert.deepEqual(resolved, ['one']);
	const namesake = { ...two, metadata: { ...two.metadata, uid: 'another', resourceVersion: '3' } };
	sink.events([{ type: 'MODIFIED', object: namesake }]);
	await new Promise(setImmediate);
	assert.deepEqual(resolved, ['one', 'two']);
	await informer.left(one);
});

test('reached() resolves once the cache contains the revision', async (t) => {
	const source = new Source();
	const { informer } = start(t, source);
	const sink = await source.nextSink();
	let reached = false;
	const waiting = informer.reached('4').then(() => {
		reached = true;
	});
	sink.events([{ type: 'ADDED', object: object('one', 3) }]);
	await Promise.resolve();
	assert.equal(reached, false);
	sink.events([{ type: 'BOOKMARK', object: object('', 4) }]);
	await waiting;
	assert.equal(informer.get('ns', ''), undefined);
});

test('the next watch resumes at the last revision of the cache', async (t) => {
	const source = new Source();
	const { informer } = start(t, source);
	const first = await source.nextSink();
	first.events([{ type: 'ADDED', object: object('one', 9) }]);
	first.ended();
	await source.nextSink();
	assert.equal(source.lists.length, 1);
	assert.equal(source.watches.at(-1)?.resourceVersion, '9');
	assert.equal(informer.get('ns', 'one')?.metadata.name, 'one');
});

test('an informer with known objects starts without a list, and reports their deletion', async (t) => {
	const source = new Source();
	const from = { resourceVersion: '7', objects: [object('known', 7)] };
	const { informer } = start(t, source, { from });
	await informer.synced;
	const sink = await source.nextSink();
	assert.deepEqual(source.lists, []);
	assert.equal(source.watches[0]?.resourceVersion, '7');
	const deleted: (string | undefined)[] = [];
	informer.subscribe((now, old) => {
		if (!now) deleted.push(old?.metadata.name);
	});
	sink.events([{ type: 'DELETED', object: object('known', 8) }]);
	assert.deepEqual(deleted, ['known']);
});

test('a compacted revision leads to a new list, and handlers are called for what changed in between', async (t) => {
	const source = new Source();
	source.items = [object('gone', 1), object('kept', 1)];
	const { informer, clock } = start(t, source);
	const calls: string[] = [];
	informer.subscribe((now, old) => calls.push(`${old?.metadata.name ?? '-'}>${now?.metadata.name ?? '-'}`));
	const first = await source.nextSink();
	source.items = [object('kept', 1), object('new', 12)];
	source.revision = 12;
	first.ended(expired('too old resource version'));
	while (clock.nextDue() === undefined) await new Promise(setImmediate);
	clock.advance(100);
	await source.nextSink();
	assert.deepEqual(calls, ['->gone', '->kept', 'gone>-', '->new']);
	assert.equal(source.watches.at(-1)?.resourceVersion, '12');
});

test('the error of a handler is reported, and the other handlers are still called', async (t) => {
	const source = new Source();
	source.items = [object('one', 1)];
	const errors: unknown[] = [];
	const { informer } = start(t, source, { onError: (error) => errors.push(error) });
	const sink = await source.nextSink();
	const fault = new Error('a fault of this handler');
	informer.subscribe(() => {
		throw fault;
	});
	const calls: (string | undefined)[] = [];
	informer.subscribe((now) => calls.push(now?.metadata.resourceVersion));
	sink.events([{ type: 'MODIFIED', object: object('one', 2) }]);
	sink.events([{ type: 'DELETED', object: object('one', 3) }]);
	assert.deepEqual(calls, ['1', '2', undefined]);
	assert.deepEqual(errors, [fault, fault, fault]);
	assert.equal(source.watches.length, 1);
});

test('synced resolves to false when the informer is stopped before its first list', async () => {
	const never = new Promise<never>(() => undefined);
	const informer = new Informer<KubeObject>(
		{ list: () => never, watch: () => never },
		{ clock: new VirtualClock() },
	);
	const stop = new AbortController();
	informer.run(stop.signal).catch(assert.fail);
	stop.abort();
	assert.equal(await informer.synced, false);
});

test('an informer that is stopped during its list ends and ignores the list', async () => {
	const source = new Source();
	const listed = Promise.withResolvers<ObjectList<KubeObject>>();
	source.list = () => listed.promise;
	const informer = new Informer<KubeObject>(source, { clock: new VirtualClock() });
	const calls: unknown[] = [];
	informer.subscribe((now) => calls.push(now));
	const stop = new AbortController();
	const running = informer.run(stop.signal);
	stop.abort();
	listed.resolve({ metadata: { resourceVersion: '7' }, items: [object('one', 7)] });
	await running;
	assert.deepEqual([calls, source.watches, informer.revision], [[], [], 0]);
});

test('a list replaces the cache even if the server has returned to an earlier state', async (t) => {
	const source = new Source();
	source.items = [object('changed', 40), object('same', 30)];
	source.revision = 40;
	const { informer, clock } = start(t, source);
	const calls: unknown[] = [];
	informer.subscribe((now, old) => calls.push([now, old].map((each) => each?.metadata.resourceVersion)));
	const sink = await source.nextSink();
	const waiting = informer.reached('41');
	const tooLarge = new ApiError({
		...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code: 504, reason: 'Timeout' },
		details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
	});
	calls.length = 0;
	source.items = [object('changed', 20, 'b'), object('same', 30)];
	source.revision = 35;
	sink.ended(tooLarge);
	while (clock.nextDue() === undefined) await new Promise(setImmediate);
	clock.advance(100);
	const next = await source.nextSink();
	assert.deepEqual(calls, [['20', '40']]);
	assert.equal(informer.get('ns', 'changed')?.metadata.resourceVersion, '20');
	assert.equal(informer.indexed('team', 'b').length, 1);
	assert.deepEqual([informer.revision, source.watches.at(-1)?.resourceVersion], [35, '35']);
	assert.equal(await waiting, true);
	next.events([{ type: 'MODIFIED', object: object('changed', 36) }]);
	assert.equal(informer.get('ns', 'changed')?.metadata.resourceVersion, '36');
});

test('watches that end at once without events are reopened with a growing backoff', async (t) => {
	const source = new Source();
	const errors: unknown[] = [];
	const { clock } = start(t, source, { onError: (error) => errors.push(error) });
	const pauses: number[] = [];
	for (let i = 0; i < 5; i++) {
		(await source.nextSink()).ended();
		while (clock.nextDue() === undefined) await new Promise(setImmediate);
		const due = clock.nextDue() ?? 0;
		pauses.push(due - clock.now());
		clock.advanceTo(due);
	}
	assert.deepEqual(pauses, [100, 200, 400, 800, 1600]);
	assert.equal(errors.length, 5);
	assert.equal(source.lists.length, 1);
});

test('a long iteration visits each object once, whatever changes in between', async (t) => {
	for (let seed = 1; seed <= 20; seed++) {
		const random = new SeededRandom(seed);
		const pick = (): number => Math.floor(random.next() * 300);
		const source = new Source();
		const made = (i: number, revision: number): KubeObject => {
			const one = object(`o${i}`, revision);
			setSource(one, { object: object(`o${i}`, revision) });
			return one;
		};
		source.items = Array.from({ length: 300 }, (_, i) => made(i, 1));
		const { informer } = start(t, source);
		const sink = await source.nextSink();
		const release = (name: string): void => {
			const one = informer.get('ns', name);
			if (one) informer.release(one);
		};
		for (let i = 0; i < 150; i++) release(`o${pick()}`);
		let revision = 1;
		const deleted = new Set<string>();
		const met: string[] = [];
		for await (const { metadata } of informer.inTurns()) {
			met.push(metadata.name ?? '');
			const i = pick();
			revision += 1;
			const act = random.next();
			if (act < 0.4) release(`o${i}`);
			else if (act < 0.8) sink.events([{ type: 'MODIFIED', object: made(i, revision) }]);
			else {
				deleted.add(`o${i}`);
				sink.events([{ type: 'DELETED', object: made(i, revision) }]);
			}
		}
		assert.equal(new Set(met).size, met.length, `seed ${seed}: an object was met twice`);
		const missed = source.items.filter(
			({ metadata: { name = '' } }) => !deleted.has(name) && !met.includes(name),
		);
		assert.deepEqual(missed, [], `seed ${seed}: an object was not met`);
	}
});
