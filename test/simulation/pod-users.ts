import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import type { PatchKind, ResourceClient } from '../../src/client/client.ts';
import { hasEnded, isTracked } from '../../src/plan/job/classify.ts';
import type { Act, ActOptions } from './act.ts';
import { evict } from './evict.ts';

/** What people do with Pods, mostly with those of Jobs. */
export class PodUsers {
	readonly #options: ActOptions;

	constructor(options: ActOptions) {
		this.#options = options;
	}

	/** What there is to do, as often as it is done. */
	get acts(): readonly Act[] {
		const seldom = [
			() => this.#takeLabels(),
			() => this.#takeOwner(),
			() => this.#makeLookalike(),
			() => this.#hold(),
			() => this.#letGo(),
		];
		const often = [() => this.#delete(), () => this.#evict()];
		return [...often, ...often, ...seldom];
	}

	/** Takes about every third Pod that still counts from its Job. */
	get disownSome(): readonly Act[] {
		const counting = this.#all().filter((pod) => isTracked(pod) && !hasEnded(pod));
		return counting.filter(() => this.#options.dice.chance(0.3)).map((pod) => () => this.#takeOwner(pod));
	}

	/** Takes off every finalizer that a user has put on. */
	get letGoAll(): readonly Act[] {
		return this.#held().map((pod) => () => this.#letGo(pod));
	}

	async #delete(): Promise<void> {
		const pod = this.#one();
		if (!pod) return;
		const gracePeriodSeconds = this.#options.dice.of(0, 1, 30);
		this.#note(`deletes Pod ${pod.metadata.name} (${gracePeriodSeconds}s)`);
		await this.#client.delete(pod.metadata.name ?? '', { gracePeriodSeconds });
	}

	async #evict(): Promise<void> {
		const pod = this.#one();
		if (pod) await evict(this.#options, pod);
	}

	/** So that its Job has to let go of the Pod. */
	async #takeLabels(): Promise<void> {
		const pod = this.#one();
		const labels = Object.fromEntries(Object.keys(pod?.metadata.labels ?? {}).map((key) => [key, null]));
		await this.#change(pod, 'merge', { labels });
	}

	/** So that its Job has to make the Pod its own again. */
	async #takeOwner(pod = this.#one(this.#all().filter(isTracked))): Promise<void> {
		await this.#change(pod, 'merge', { ownerReferences: null });
	}

	/** A Pod that a Job takes for one of its own, though it never made it. */
	async #makeLookalike(): Promise<void> {
		const model = this.#one(this.#all().filter(isTracked));
		if (!model) return;
		const { labels, annotations } = model.metadata;
		const { nodeName, ...spec } = model.spec;
		this.#note(`makes a Pod like ${model.metadata.name}`);
		await this.#client.create({
			...{ apiVersion: 'v1', kind: 'Pod', spec, status: {} },
			metadata: {
				generateName: 'lookalike-',
				...(labels && { labels }),
				...(annotations && { annotations }),
			},
		});
	}

	async #hold(): Promise<void> {
		await this.#change(this.#one(), 'strategic', { finalizers: [HOLD] });
	}

	async #letGo(pod = this.#one(this.#held())): Promise<void> {
		await this.#change(pod, 'strategic', { '$deleteFromPrimitiveList/finalizers': [HOLD] });
	}

	async #change(pod: Pod | undefined, kind: PatchKind, metadata: Record<string, unknown>): Promise<void> {
		if (!pod) return;
		this.#note(`changes Pod ${pod.metadata.name} ${JSON.stringify(metadata)}`);
		await this.#client.patch(pod.metadata.name ?? '', kind, { metadata });
	}

	#all(): readonly Pod[] {
		// The resource says what they are.
		return this.#options.history.all('pods') as unknown as readonly Pod[];
	}

	#held(): readonly Pod[] {
		return this.#all().filter(({ metadata }) => metadata.finalizers?.includes(HOLD));
	}

	/** Rather one that has not ended. */
	#one(from = this.#all()): Pod | undefined {
		const { dice } = this.#options;
		const going = from.filter((pod) => !hasEnded(pod));
		const among = going.length > 0 && dice.chance(0.8) ? going : from;
		return among[dice.between(0, among.length - 1)];
	}

	get #client(): ResourceClient<Pod> {
		return this.#options.client().resource(pods, 'default');
	}

	#note(what: string): void {
		this.#options.trace.note('user', what);
	}
}

/** A finalizer of somebody who wants to see Pods before they go. */
const HOLD = 'example.com/hold';
