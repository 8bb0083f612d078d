import { nodes } from '../../../src/api/core/node/definition.ts';
import type { Node, Taint } from '../../../src/api/core/node/schema.ts';
import { pods } from '../../../src/api/core/pod/definition.ts';
import { hasEnded } from '../../../src/api/core/pod/phase.ts';
import type { Pod } from '../../../src/api/core/pod/schema.ts';
import type { Act, ActOptions } from './act.ts';
import { evict } from './evict.ts';
import { USERS_TAINT } from './job-specs.ts';

/** The actions of users on Nodes. */
export class NodeUsers {
	readonly #options: ActOptions;

	constructor(options: ActOptions) {
		this.#options = options;
	}

	/** All actions, each as often as its weight in the draw. */
	get acts(): readonly Act[] {
		return [
			() => this.#delete(),
			() => this.#taint(),
			() => this.#taint(),
			() => this.#untaint(),
			() => this.#cordon(),
			() => this.#drain(),
		];
	}

	/** Removes the users' taints from every Node and uncordons it. */
	get uncordonAll(): readonly Act[] {
		return this.#all()
			.filter((node) => node.spec.unschedulable || usersTaints(node).length > 0)
			.map(
				(node) => () =>
					this.#change(node, { unschedulable: null, taints: (node.spec.taints ?? []).filter(isNotUsers) }),
			);
	}

	/**
	 * A user who knows that a machine will not come back removes it from the cluster: by deleting the Node, by the
	 * out-of-service taint, or by force-deleting its Pods and then the Node.
	 */
	removeLost(name: string): readonly Act[] {
		const node = this.#all().find(({ metadata }) => metadata.name === name);
		if (!node) return [];
		const leaving = this.#podsOn(name).filter((pod) => !hasEnded(pod));
		return this.#options.dice.of<() => readonly Act[]>(
			() => [() => this.#delete(node)],
			() => [() => this.#change(node, { taints: [...(node.spec.taints ?? []), OUT_OF_SERVICE] })],
			() => [...leaving.map((pod) => () => this.#forceDelete(pod)), () => this.#delete(node)],
		)();
	}

	async #delete(node = this.#one()): Promise<void> {
		const name = node?.metadata.name;
		if (name === undefined) return;
		this.#note(`deletes Node ${name}`);
		await this.#options.client().resource(nodes).delete(name);
	}

	async #taint(): Promise<void> {
		const { dice } = this.#options;
		const node = this.#one();
		const effect = dice.of('NoSchedule' as const, 'NoExecute' as const);
		const others = (node?.spec.taints ?? []).filter(
			(taint) => taint.key !== USERS_TAINT || taint.effect !== effect,
		);
		await this.#change(node, { taints: [...others, { key: USERS_TAINT, value: dice.of('a', 'b'), effect }] });
	}

	async #untaint(): Promise<void> {
		const node = this.#one(this.#all().filter((each) => usersTaints(each).length > 0));
		await this.#change(node, { taints: (node?.spec.taints ?? []).filter(isNotUsers) });
	}

	/** Cordons a Node, or uncordons a cordoned one. */
	async #cordon(): Promise<void> {
		const node = this.#one();
		await this.#change(node, { unschedulable: node?.spec.unschedulable ? null : true });
	}

	/** As `kubectl drain` does. */
	async #drain(): Promise<void> {
		const node = this.#one();
		if (!node) return;
		await this.#change(node, { unschedulable: true });
		for (const pod of this.#podsOn(node.metadata.name ?? '')) await evict(this.#options, pod);
	}

	async #change(node: Node | undefined, spec: Record<string, unknown>): Promise<void> {
		const name = node?.metadata.name;
		if (name === undefined) return;
		this.#note(`changes Node ${name} ${JSON.stringify(spec)}`);
		await this.#options.client().resource(nodes).patch(name, 'merge', { spec });
	}

	async #forceDelete({ metadata: { name = '' } }: Pod): Promise<void> {
		this.#note(`force-deletes Pod ${name}`);
		await this.#options.client().resource(pods, 'default').delete(name, { gracePeriodSeconds: 0 });
	}

	#all(): readonly Node[] {
		// The cast is safe: the resource determines the type.
		return this.#options.history.all('nodes') as unknown as readonly Node[];
	}

	#podsOn(name: string): readonly Pod[] {
		const all = this.#options.history.all('pods') as unknown as readonly Pod[];
		return all.filter(({ spec }) => spec.nodeName === name);
	}

	#one(from = this.#all()): Node | undefined {
		return from[this.#options.dice.between(0, from.length - 1)];
	}

	#note(what: string): void {
		this.#options.trace.note('user', what);
	}
}

const OUT_OF_SERVICE: Taint = {
	key: 'node.kubernetes.io/out-of-service',
	value: 'gone',
	effect: 'NoExecute',
};

function isNotUsers({ key }: Taint): boolean {
	return key !== USERS_TAINT;
}

function usersTaints({ spec }: Node): readonly Taint[] {
	return (spec.taints ?? []).filter((taint) => !isNotUsers(taint));
}
