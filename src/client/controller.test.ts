import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { Metrics } from '../base/metrics.ts';
import { DONE } from '../base/queue/reconcile-loop.ts';
import { VirtualClock } from '../base/testing/virtual-clock.ts';
import { Controller, type ControllerDeclaration, NO_KEYS, runSynced, watch } from './controller.ts';
import type { InformerHandler } from './informer.ts';

/** An informer whose cache has these objects once `sync` is called. */
class Source {
	readonly #synced = Promise.withResolvers<boolean>();
	readonly #handlers: InformerHandler<KubeObject>[] = [];
	readonly #names: readonly string[];
	readonly synced = this.#synced.promise;

	constructor(...names: readonly string[]) {
		this.#names = names;
	}

	subscribe(handler: InformerHandler<KubeObject>): void {
		this.#handlers.push(handler);
		for (const name of this.#names) handler(named(name), undefined);
	}

	sync(synced = true): void {
		this.#synced.resolve(synced);
	}

	delete(name: string): void {
		for (const handler of this.#handlers) handler(undefined, named(name));
	}

	get isFollowed(): boolean {
		return this.#handlers.length > 0;
	}
}

const named = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Thing', metadata: { name } });

const keyOf = (object: KubeObject | undefined, old: KubeObject | undefined): readonly string[] => [
	(object ?? old)?.metadata.name ?? '',
];

/** A controller of this declaration. `seen` are the keys in the order in which they were reconciled. */
function controllerOf(declaration: Partial<ControllerDeclaration>, onError = (): void => undefined) {
	const clock = new VirtualClock();
	const seen: string[] = [];
	const controller = new Controller(
		{
			...{ name: 'test', workers: 1, watches: [], backoff: { baseMs: 10, capMs: 10 } },
			reconcile: async (key) => {
				seen.push(key);
				return DONE;
			},
			...declaration,
		},
		{ clock, metrics: new Metrics(), onError },
	);
	return { controller, seen, clock };
}

function run(t: TestContext, controller: Controller): AbortController {
	const stop = new AbortController();
	const running = controller.run(stop.signal);
	t.after(async () => {
		stop.abort();
		await running;
	});
	return stop;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a controller subscribes once all informers have synced, in the order of its declaration', async (t) => {
	const [nodes, pods] = [new Source('node'), new Source('pod')];
	const order: string[] = [];
	const noted = (source: Source) =>
		watch(source, (object, old) => {
			order.push(...keyOf(object, old));
			return keyOf(object, old);
		});
	const { controller, seen } = controllerOf({ watches: [noted(nodes), noted(pods)] });
	run(t, controller);
	pods.sync();
	await settled();
	assert.equal(pods.isFollowed, false);
	nodes.sync();
	await settled();
	assert.deepEqual(
		[order, seen],
		[
			['node', 'pod'],
			['node', 'pod'],
		],
	);
	pods.delete('other');
	await settled();
	assert.deepEqual(seen, ['node', 'pod', 'other']);
});

test('a key may be queued after a time', async (t) => {
	const source = new Source('pod');
	source.sync();
	const late = watch(source, () => [{ key: 'late', afterMs: 100 }]);
	const { controller, seen, clock } = controllerOf({ watches: [late] });
	run(t, controller);
	await settled();
	assert.deepEqual(seen, []);
	clock.advanceTo(clock.now() + 100);
	await settled();
	assert.deepEqual(seen, ['late']);
});

test('a source adds keys after the subscriptions', async (t) => {
	const source = new Source('pod');
	source.sync();
	const { controller, seen } = controllerOf({
		watches: [watch(source, keyOf)],
		sources: [async (queue) => queue.add(source.isFollowed ? 'timer' : 'too early')],
	});
	run(t, controller);
	await settled();
	assert.deepEqual(seen, ['pod', 'timer']);
});

test('a controller ends without a pass if an informer stops before it has synced', async () => {
	const source = new Source('pod');
	const { controller, seen } = controllerOf({ watches: [watch(source, keyOf)] });
	const ended = controller.run(new AbortController().signal);
	source.sync(false);
	await ended;
	assert.deepEqual([source.isFollowed, seen], [false, []]);
});

test('a controller that is stopped before its informers have synced ends at once', async () => {
	const source = new Source('pod');
	const stop = new AbortController();
	const { controller } = controllerOf({ watches: [watch(source, keyOf)] });
	const ended = controller.run(stop.signal);
	stop.abort();
	await ended;
	source.sync();
	await settled();
	assert.equal(source.isFollowed, false);
});

test('the rejection of a source ends the running passes first and then fails the controller', async () => {
	const pass = Promise.withResolvers<void>();
	const { controller } = controllerOf({
		reconcile: async () => {
			await pass.promise;
			return DONE;
		},
		sources: [
			async (queue) => {
				queue.add('slow');
				await settled();
				throw new Error('no events');
			},
		],
	});
	let hasEnded = false;
	const running = controller.run(new AbortController().signal).finally(() => {
		hasEnded = true;
	});
	const rejected = assert.rejects(running, /^Error: no events$/);
	await settled();
	await settled();
	await settled();
	assert.equal(hasEnded, false);
	pass.resolve();
	await rejected;
});

test('an error that the report of a failed pass throws fails the controller', async () => {
	const { controller } = controllerOf({ reconcile: () => Promise.reject(new Error('no pass')) }, () => {
		throw new Error('no report');
	});
	controller.add('bad');
	await assert.rejects(controller.run(new AbortController().signal), /^Error: no report$/);
});

test('a component with a queue of its own gets the keys of its watches', async () => {
	const source = new Source('pod', 'other');
	source.sync();
	const keys: string[] = [];
	const queue = { add: (key: string) => void keys.push(key), addAfter: () => undefined };
	const stop = new AbortController();
	const ignored = watch(source, () => NO_KEYS);
	const ended = runSynced({ watches: [ignored, watch(source, keyOf)], queue, works: [] }, stop.signal);
	await ended;
	assert.deepEqual(keys, ['pod', 'other']);
});
