import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { pods as podResource } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { podDisruptionBudgets } from '../../api/policy/poddisruptionbudget/definition.ts';
import type { PodDisruptionBudget } from '../../api/policy/poddisruptionbudget/schema.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import { runTogether } from '../../base/queue/run-together.ts';
import type { Client } from '../../client/client.ts';
import {
	Controller,
	type ControllerContext,
	type Keys,
	NO_KEYS,
	OVERTAKEN_MS,
	ownKey,
	watch,
} from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOfObject, splitKey } from '../../client/informer.ts';
import { isGone, unlessOvertaken } from '../../client/outcomes.ts';
import {
	isCovered,
	notDeletedEvent,
	planDisruption,
	staleDisruptionAt,
	staleDisruptionPatch,
} from '../../plan/disruption/plan-disruption.ts';

/** The dependencies of the disruption controller. */
export interface DisruptionControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly budgets: Informer<PodDisruptionBudget>;
	readonly pods: Informer<Pod>;
	/** The resources with a scale, whose objects may control Pods. */
	readonly owners: readonly {
		readonly definition: ResourceDefinition;
		readonly informer: Pick<Informer<KubeObject>, 'get'>;
	}[];
}

/**
 * The disruption controller: keeps the status of PodDisruptionBudgets, from which the eviction subresource and
 * the scheduler read how many Pods may go. plan/disruption decides. It also takes back the condition
 * DisruptionTarget of Pods that were not deleted in time. Upstream: pkg/controller/disruption/disruption.go.
 */
export class DisruptionController {
	readonly #options: DisruptionControllerOptions;
	readonly #budgets: Controller;
	readonly #stale: Controller;

	constructor(options: DisruptionControllerOptions) {
		const { budgets, pods, clock } = options;
		this.#options = options;
		const backoff = { baseMs: 5, capMs: 60_000 };
		this.#budgets = new Controller(
			{
				name: 'disruption',
				watches: [watch(pods, (pod, old) => this.#budgetsOf(pod, old)), watch(budgets, ownKey)],
				workers: 2,
				backoff,
				reconcile: (key) => this.#reconcile(key),
			},
			options,
		);
		this.#stale = new Controller(
			{
				name: 'stale_pod_disruption',
				watches: [
					watch(pods, (pod) => {
						const at = pod && staleDisruptionAt(pod);
						return at === undefined || !pod
							? NO_KEYS
							: [{ key: keyOfObject(pod), afterMs: at - clock.now() }];
					}),
				],
				workers: 1,
				backoff,
				reconcile: (key) => this.#takeBack(key),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informers are stopped. */
	async run(signal: AbortSignal): Promise<void> {
		await runTogether([(stop) => this.#budgets.run(stop), (stop) => this.#stale.run(stop)], signal);
	}

	#budgetsOf(pod: Pod | undefined, old: Pod | undefined): Keys {
		const { budgets } = this.#options;
		const keys: string[] = [];
		for (const budget of budgets.all()) {
			if ([pod, old].some((each) => each && isCovered(each, budget))) keys.push(keyOfObject(budget));
		}
		return keys;
	}

	async #reconcile(key: string): Promise<Outcome> {
		const { budgets, pods, clock, recorder, client } = this.#options;
		const { namespace, name } = splitKey(key);
		const budget = budgets.get(namespace, name);
		if (!budget) return DONE;
		const covered = await pods.select((pod) => isCovered(pod, budget));
		const plan = planDisruption(budget, covered, {
			now: clock.now(),
			find: (definition, owner) => this.#ownerOf(definition, owner),
		});
		for (const event of plan.events) recorder.event(budget, event);
		for (const pod of plan.notDeleted) recorder.event(pod, notDeletedEvent(budget));
		if (plan.status) {
			try {
				await client
					.resource(podDisruptionBudgets, namespace)
					.update({ ...budget, status: plan.status }, 'status');
			} catch (error) {
				if (isApiError(error, 'Conflict')) return again(OVERTAKEN_MS);
				if (!isGone(error)) throw error;
			}
		}
		return plan.recheckAt === undefined ? DONE : again(Math.max(plan.recheckAt - clock.now(), 0) + 1000);
	}

	#ownerOf(
		{ group, resource }: ResourceDefinition,
		{ namespace, name }: { readonly namespace: string; readonly name: string },
	): KubeObject | undefined {
		const { owners } = this.#options;
		const found = owners.find(
			({ definition }) => definition.group === group && definition.resource === resource,
		);
		return found?.informer.get(namespace, name);
	}

	async #takeBack(key: string): Promise<Outcome> {
		const { pods, clock, client } = this.#options;
		const { namespace, name } = splitKey(key);
		const pod = pods.get(namespace, name);
		const at = pod && staleDisruptionAt(pod);
		if (!pod || at === undefined) return DONE;
		if (at > clock.now()) return again(at - clock.now());
		const patch = staleDisruptionPatch(pod, clock.now());
		await unlessOvertaken(client.resource(podResource, namespace).patchStatus(name, 'strategic', patch));
		return DONE;
	}
}
