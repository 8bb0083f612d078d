import { services as serviceResource } from '../../api/core/service/definition.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import { ipAddresses } from '../../api/networking/ipaddress/definition.ts';
import type { IpAddressObject } from '../../api/networking/ipaddress/schema.ts';
import type { ServiceCidr } from '../../api/networking/servicecidr/schema.ts';
import { again, BACKOFF, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import { runTogether } from '../../base/queue/run-together.ts';
import type { Client } from '../../client/client.ts';
import {
	Controller,
	type ControllerContext,
	type Keys,
	NO_KEYS,
	ownKey,
	watch,
} from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOfObject, splitKey } from '../../client/informer.ts';
import { uidPrecondition, unlessGone, unlessOvertaken } from '../../client/outcomes.ts';
import { clusterIpsOf, ipAddressOf, serviceReference } from '../../plan/services/allocation/ip-address-of.ts';
import type { AddressRange } from '../../plan/services/allocation/ranges.ts';
import {
	type AddressRepair,
	planIpAddress,
	planServiceAddresses,
} from '../../plan/services/cidrs/plan-ip-addresses.ts';

/** The dependencies of {@link IpAddressRepair}. */
export interface IpAddressRepairOptions extends ControllerContext {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly services: Informer<Service>;
	readonly addresses: Informer<IpAddressObject>;
	readonly cidrs: Informer<ServiceCidr>;
	/** The range of the server. */
	readonly range: AddressRange;
}

/** Time that the API server has to remove the IPAddress of a Service that no longer has the address. */
const RELEASE_MS = 5000;

/** The index of Services by their addresses. */
const BY_ADDRESS = 'address';

/**
 * Repairs IPAddresses, in one loop over Services and one over IPAddresses. plan/services/cidrs/plan-ip-addresses.ts decides.
 *
 * 1. The API server writes IPAddress and Service one after the other, and their informers may be apart. So an IPAddress that
 *    the cache lacks is created only if the API server still has the Service, and no IPAddress of that name.
 */
export class IpAddressRepair {
	readonly #options: IpAddressRepairOptions;
	readonly #ofServices: Controller;
	readonly #ofAddresses: Controller;

	constructor(options: IpAddressRepairOptions) {
		const { services, addresses, cidrs } = options;
		this.#options = options;
		services.addIndexes({ [BY_ADDRESS]: clusterIpsOf });
		const backoff = { baseMs: 5, capMs: 60_000 };
		this.#ofServices = new Controller(
			{
				name: 'ipallocator_repair_services',
				watches: [
					// A change of a ServiceCIDR needs no repair, but without it the addresses in its ranges would be reported.
					watch(cidrs, () => NO_KEYS),
					watch(addresses, (address, old) => this.#holders(address ?? old)),
					watch(services, ownKey),
				],
				workers: 1,
				backoff,
				reconcile: (key) => this.#repairService(key),
			},
			options,
		);
		this.#ofAddresses = new Controller(
			{
				name: 'ipallocator_repair_addresses',
				watches: [watch(addresses, ownKey), watch(services, releasedKeys)],
				workers: 1,
				backoff,
				reconcile: (name) => this.#repairAddress(name),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informers are stopped. */
	async run(signal: AbortSignal): Promise<void> {
		const works = [this.#ofServices, this.#ofAddresses];
		await runTogether(
			works.map((controller) => (stop: AbortSignal) => controller.run(stop)),
			signal,
		);
	}

	/** The Services that have the address of an IPAddress, whatever that refers to. */
	#holders(address: IpAddressObject | undefined): Keys {
		return this.#options.services.indexed(BY_ADDRESS, address?.metadata.name ?? '').map(keyOfObject);
	}

	async #repairService(key: string): Promise<Outcome> {
		const { services, addresses, cidrs, range: own, recorder } = this.#options;
		const { namespace, name } = splitKey(key);
		const service = services.get(namespace, name);
		if (!service) return DONE;
		const repairs = planServiceAddresses({
			service,
			addressAt: (address) => addresses.get('', address),
			serviceAt: (place, other) => services.get(place, other),
			cidrs: [...cidrs.all()],
			own,
		});
		let isDone = true;
		for (const repair of repairs) {
			if (repair.create && !(await this.#isDue(service, repair))) continue;
			if (repair.event) recorder.event(service, repair.event);
			if (repair.create && !(await this.#recreate(service, repair))) isDone = false;
		}
		return isDone ? DONE : BACKOFF;
	}

	/** Whether the API server has the Service with this address, and the state of the IPAddress that the plan is based on. */
	async #isDue({ metadata }: Service, { address, replaced }: AddressRepair): Promise<boolean> {
		const { client } = this.#options;
		const { name = '', namespace = '' } = metadata;
		const service = await unlessGone(client.resource(serviceResource, namespace).get(name));
		if (!service || service.metadata.uid !== metadata.uid) return false;
		if (service.metadata.deletionTimestamp || !clusterIpsOf(service).includes(address)) return false;
		const found = await unlessGone(client.resource(ipAddresses).get(address));
		return found?.metadata.uid === replaced?.metadata.uid;
	}

	/** Resolves to false if there is an IPAddress still: another writer was faster, or a finalizer keeps the replaced one. */
	async #recreate(service: Service, { address, replaced }: AddressRepair): Promise<boolean> {
		const target = this.#options.client.resource(ipAddresses);
		if (replaced) await unlessOvertaken(target.delete(address, uidPrecondition(replaced)));
		try {
			await target.create(ipAddressOf(address, service));
			return true;
		} catch (error) {
			if (!isApiError(error, 'AlreadyExists')) throw error;
			return false;
		}
	}

	async #repairAddress(name: string): Promise<Outcome> {
		const { services, addresses, recorder, client, clock } = this.#options;
		const address = addresses.get('', name);
		if (!address) return DONE;
		const reference = serviceReference(address);
		const service = reference && services.get(reference.namespace, reference.name);
		const plan = planIpAddress(address, service, clock.now());
		if (plan?.kind === 'wait') return again(Math.max(plan.until - clock.now(), 0));
		if (!plan) return DONE;
		recorder.event(address, plan.event);
		await unlessOvertaken(client.resource(ipAddresses).delete(name, uidPrecondition(address)));
		return DONE;
	}
}

/** The addresses that a Service had before the change. */
function releasedKeys(service: Service | undefined, old: Service | undefined): Keys {
	const kept = service ? clusterIpsOf(service) : [];
	const released = old ? clusterIpsOf(old).filter((address) => !kept.includes(address)) : [];
	return released.map((key) => ({ key, afterMs: RELEASE_MS }));
}
