import { pods } from '../../../src/api/core/pod/definition.ts';
import { hasEnded } from '../../../src/api/core/pod/phase.ts';
import type { Pod } from '../../../src/api/core/pod/schema.ts';
import type { PatchKind, ResourceClient } from '../../../src/client/client.ts';
import { isTracked } from '../../../src/plan/job/pods/classify.ts';
import type { Act, ActOptions } from './act.ts';
import { evict } from './evict.ts';

/** The actions of users on Pods, mostly on those of Jobs. */
export class PodUsers {
	readonly #options: ActOptions;

	constructor(options: ActOptions) {
		this.#options = options;
	}

	/** All actions, each as often as its weight in the draw. */
	get acts(): readonly Act[] {
		const seldom = [
			() => this.#removeLabels(),
			() => this.#removeOwner(),
			() => this.#createLookalike(),
			() => this.#addFinalizer(),
			() => this.#removeFinalizer(),
		];
		const often = [() => this.#delete(), () => this.#evict()];
		return [...often, ...often, ...seldom];
	}

	/** Removes the owner reference from about every third active Pod of a Job. */
	get orphanSome(): readonly Act[] {
		const counting = this.#all().filter((pod) => isTracked(pod) && !hasEnded(pod));
		return counting.filter(() => this.#options.dice.chance(0.3)).map((pod) => () => this.#removeOwner(pod));
	}

	/** Removes every finalizer that a user has added. */
	get removeAllFinalizers(): readonly Act[] {
		return this.#withFinalizer().map((pod) => () => this.#removeFinalizer(pod));
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

	/** The Pod no longer matches its Job's selector, so that the Job controller has to release it. */
	async #removeLabels(): Promise<void> {
		const pod = this.#one();
		const labels = Object.fromEntries(Object.keys(pod?.metadata.labels ?? {}).map((key) => [key, null]));
		await this.#change(pod, 'merge', { labels });
	}

	/** The Pod still matches the selector, so that the Job controller has to adopt it again. */
	async #removeOwner(pod = this.#one(this.#all().filter(isTracked))): Promise<void> {
		await this.#change(pod, 'merge', { ownerReferences: null });
	}

	/** Creates a Pod that matches a Job's selector, so that the Job controller adopts a Pod it did not create. */
	async #createLookalike(): Promise<void> {
		const model = this.#one(this.#all().filter(isTracked));
		if (!model) return;
		const { labels, annotations } = model.metadata;
		const { nodeName, ...spec } = model.spec;
		this.#note(`creates a Pod like ${model.metadata.name}`);
		await this.#client.create({
			...{ apiVersion: 'v1', kind: 'Pod', spec, status: {} },
			metadata: {
				generateName: 'lookalike-',
				...(labels && { labels }),
				...(annotations && { annotations }),
			},
		});
	}

	async #addFinalizer(): Promise<void> {
		await this.#change(this.#one(), 'strategic', { finalizers: [FINALIZER] });
	}

	async #removeFinalizer(pod = this.#one(this.#withFinalizer())): Promise<void> {
		await this.#change(pod, 'strategic', { '$deleteFromPrimitiveList/finalizers': [FINALIZER] });
	}

	async #change(pod: Pod | undefined, kind: PatchKind, metadata: Record<string, unknown>): Promise<void> {
		if (!pod) return;
		this.#note(`changes Pod ${pod.metadata.name} ${JSON.stringify(metadata)}`);
		await this.#client.patch(pod.metadata.name ?? '', kind, { metadata });
	}

	#all(): readonly Pod[] {
		// The cast is safe: the resource determines the type.
		return this.#options.history.all('pods') as unknown as readonly Pod[];
	}

	#withFinalizer(): readonly Pod[] {
		return this.#all().filter(({ metadata }) => metadata.finalizers?.includes(FINALIZER));
	}

	/** Draws a Pod, with a preference for those that have not ended. */
	#one(from = this.#all()): Pod | undefined {
		const { dice } = this.#options;
		const active = from.filter((pod) => !hasEnded(pod));
		const among = active.length > 0 && dice.chance(0.8) ? active : from;
		return among[dice.between(0, among.length - 1)];
	}

	get #client(): ResourceClient<Pod> {
		return this.#options.client().resource(pods, 'default');
	}

	#note(what: string): void {
		this.#options.trace.note('user', what);
	}
}

/** A finalizer of a user's own component, which delays the removal of deleted Pods. */
const FINALIZER = 'example.com/hold';
