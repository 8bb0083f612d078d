/**
 * Property tests: generated histories of writes and compactions, compared with a model that is a list of
 * states.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CompactedError, type Revision, type Store, type Write } from '../store.ts';
import { decode, encode, type Plain, plainChange, plainEntry, RecordingSink } from './recording-sink.ts';

const KEYS = ['a', 'a/b', 'b'] as const;

type Step =
	| { readonly do: 'create' | 'update' | 'remove'; readonly key: string; readonly stale: boolean }
	| { readonly do: 'compact'; readonly back: number };

const steps = fc.array(
	fc.oneof(
		{
			weight: 8,
			arbitrary: fc.record({
				do: fc.constantFrom('create', 'update', 'remove'),
				key: fc.constantFrom(...KEYS),
				stale: fc.boolean(),
			}),
		},
		{ weight: 1, arbitrary: fc.record({ do: fc.constant('compact'), back: fc.nat(5) }) },
	),
	{ maxLength: 40 },
);

/** The entries at one revision, by key. */
type State = ReadonlyMap<string, Plain>;

/** The model of a store: `states[revision]` are the entries at `revision`. */
class Model {
	readonly states: State[] = [new Map()];
	readonly lines: string[] = [];
	compacted = 0;

	get now(): State {
		return this.states.at(-1) ?? new Map();
	}

	/** Performs a write. Returns its revision, or the name of the error with which the store must refuse it. */
	write(write: Write): Revision | string {
		const revision = this.states.length;
		const before = this.now.get(write.key);
		if (write.type === 'create' ? before : before?.revision !== write.expected)
			return write.type === 'create' ? 'KeyExistsError' : 'RevisionMismatchError';
		const next = new Map(this.now);
		if (write.type === 'delete') next.delete(write.key);
		else {
			const createRevision = before?.createRevision ?? revision;
			next.set(write.key, { key: write.key, text: decode(write.value), revision, createRevision });
		}
		this.states.push(next);
		this.lines.push(plainChange(revision, write.key, next.get(write.key), before));
		return revision;
	}

	at(revision: Revision, prefix: string): readonly string[] {
		const found = [...(this.states[revision]?.values() ?? [])].filter((entry) =>
			entry.key.startsWith(prefix),
		);
		return found.map((entry) => JSON.stringify(entry)).sort();
	}
}

/** Checks that ranges and watches of a store agree with the model, for generated histories. */
export async function followsModel(open: () => Promise<Store>): Promise<void> {
	await fc.assert(
		fc.asyncProperty(steps, async (history) => {
			const store = await open();
			const [model, live] = [new Model(), new RecordingSink()];
			store.watch({ prefix: '', after: 0 }, live);
			for (const step of history) await takeStep(store, model, step);
			assert.deepEqual(live.plain, model.lines);
			await agreesOnThePast(store, model);
			await store.close();
		}),
		{ numRuns: 40 },
	);
}

async function takeStep(store: Store, model: Model, step: Step): Promise<void> {
	if (step.do === 'compact') {
		const revision = Math.max(store.revision - step.back, 0);
		model.compacted = Math.max(model.compacted, revision);
		await store.compact(revision);
		return;
	}
	const expected = (model.now.get(step.key)?.revision ?? 0) + (step.stale ? -1 : 0);
	const value = encode(`text ${model.states.length}`);
	const write: Write =
		step.do === 'create'
			? { type: 'create', key: step.key, value }
			: step.do === 'update'
				? { type: 'update', key: step.key, value, expected }
				: { type: 'delete', key: step.key, expected };
	const outcome = await store
		.write(write)
		.catch((error: unknown) => (error instanceof Error ? error.name : ''));
	assert.equal(outcome, model.write(write));
}

async function agreesOnThePast(store: Store, model: Model): Promise<void> {
	assert.equal(store.revision, model.states.length - 1);
	for (let revision = 0; revision <= store.revision; revision++) {
		if (revision < model.compacted) {
			await assert.rejects(store.range({ prefix: '', revision }), CompactedError);
			continue;
		}
		for (const prefix of ['', 'a', 'a/']) {
			const { entries } = await store.range({ prefix, revision });
			assert.deepEqual(
				entries.map((entry) => JSON.stringify(plainEntry(entry))),
				model.at(revision, prefix),
			);
		}
		const sink = new RecordingSink();
		store.watch({ prefix: '', after: revision }, sink);
		await sink.until(store.revision - revision);
		assert.deepEqual(sink.plain, model.lines.slice(revision));
	}
}
