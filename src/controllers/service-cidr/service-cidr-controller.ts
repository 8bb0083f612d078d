import { isApiError } from '../../api/errors/api-error.ts';
import { withCondition } from '../../api/meta/conditions.ts';
import type { IpAddressObject } from '../../api/networking/ipaddress/schema.ts';
import { DEFAULT_SERVICE_CIDR, serviceCidrs } from '../../api/networking/servicecidr/definition.ts';
import type { ServiceCidr } from '../../api/networking/servicecidr/schema.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import {
	Controller,
	type ControllerContext,
	type Keys,
	keyOfEither,
	OVERTAKEN_MS,
	watch,
} from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOfObject } from '../../client/informer.ts';
import { isOvertaken } from '../../client/outcomes.ts';
import { isManaged } from '../../plan/services/allocation/ip-address-of.ts';
import type { AddressRange } from '../../plan/services/allocation/ranges.ts';
import {
	type CidrPlan,
	planDefaultCidr,
	planServiceCidr,
} from '../../plan/services/cidrs/plan-service-cidr.ts';

/** The dependencies of the controller of ServiceCIDRs. */
export interface ServiceCidrControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly cidrs: Informer<ServiceCidr>;
	readonly addresses: Informer<IpAddressObject>;
	/** The range of the server. */
	readonly range: AddressRange;
	/** Whether the controller creates the ServiceCIDR `kubernetes`. */
	readonly keepsDefault: boolean;
}

/**
 * Keeps the ServiceCIDR `kubernetes`, and the finalizers and conditions of all ServiceCIDRs.
 * plan/services/cidrs/plan-service-cidr.ts decides. A key is the name of a ServiceCIDR.
 */
export class ServiceCidrController {
	readonly #options: ServiceCidrControllerOptions;
	readonly #controller: Controller;
	#hasReportedMismatch = false;

	constructor(options: ServiceCidrControllerOptions) {
		const { cidrs, addresses, keepsDefault } = options;
		this.#options = options;
		this.#controller = new Controller(
			{
				name: 'servicecidrs',
				watches: [
					watch(cidrs, (cidr, old) => [...keyOfEither(cidr, old), ...this.#deleted()]),
					watch(addresses, () => this.#deleted()),
				],
				sources: keepsDefault ? [async (queue) => queue.add(DEFAULT_SERVICE_CIDR)] : [],
				workers: 1,
				backoff: { baseMs: 100, capMs: 10_000 },
				reconcile: (name) => this.#reconcile(name),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informers are stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	/** The ServiceCIDRs that are being deleted: each change of a ServiceCIDR or an IPAddress may let them go. */
	#deleted(): Keys {
		const deleted = [...this.#options.cidrs.all()].filter(({ metadata }) => metadata.deletionTimestamp);
		return deleted.map(keyOfObject);
	}

	async #reconcile(name: string): Promise<Outcome> {
		const { cidrs, clock, keepsDefault } = this.#options;
		const cidr = cidrs.get('', name);
		try {
			if (keepsDefault && name === DEFAULT_SERVICE_CIDR) await this.#keepDefault(cidr);
			if (!cidr) return DONE;
			const plan = await this.#plan(cidr);
			await this.#perform(cidr, plan);
			return plan.recheckAt === undefined ? DONE : again(Math.max(plan.recheckAt - clock.now(), 0));
		} catch (error) {
			if (isOvertaken(error) || isApiError(error, 'AlreadyExists')) return again(OVERTAKEN_MS);
			throw error;
		}
	}

	async #keepDefault(found: ServiceCidr | undefined): Promise<void> {
		const { client, range, recorder } = this.#options;
		const plan = planDefaultCidr(found, range);
		if (plan?.kind === 'create') await client.resource(serviceCidrs).create(plan.object);
		if (plan?.kind !== 'mismatch' || !found || this.#hasReportedMismatch) return;
		this.#hasReportedMismatch = true;
		recorder.event(found, plan.event);
	}

	async #plan(cidr: ServiceCidr): Promise<CidrPlan> {
		const { cidrs, addresses, range: own, clock } = this.#options;
		const { name, deletionTimestamp } = cidr.metadata;
		const others = [...cidrs.all()].filter(({ metadata }) => metadata.name !== name);
		const used = deletionTimestamp === undefined ? [] : await addresses.select(isManaged);
		return planServiceCidr({ cidr, others, addresses: used.map(keyOfObject), own, now: clock.now() });
	}

	async #perform(cidr: ServiceCidr, { finalizers, condition }: CidrPlan): Promise<void> {
		const target = this.#options.client.resource(serviceCidrs);
		const { metadata, status } = cidr;
		if (finalizers) await target.update({ ...cidr, metadata: { ...metadata, finalizers } });
		if (!condition) return;
		const conditions = withCondition(status.conditions, condition);
		await target.update({ ...cidr, status: { ...status, conditions } }, 'status');
	}
}
