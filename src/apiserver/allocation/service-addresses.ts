import { isOfKind, type ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { services } from '../../api/core/service/definition.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { internalError, invalid } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { ipAddresses } from '../../api/networking/ipaddress/definition.ts';
import { serviceCidrs } from '../../api/networking/servicecidr/definition.ts';
import type { ServiceCidr } from '../../api/networking/servicecidr/schema.ts';
import type { Random } from '../../base/random.ts';
import { allocateService } from '../../plan/services/allocation/allocate.ts';
import { heldBy } from '../../plan/services/allocation/held.ts';
import { type Held, Pool } from '../../plan/services/allocation/pool.ts';
import { type AddressRange, addressText, NODE_PORTS } from '../../plan/services/allocation/ranges.ts';
import { allocatableRanges } from '../../plan/services/allocation/service-ranges.ts';
import type { ObjectCache } from '../storage/object-cache.ts';
import type { ResourceCache } from '../storage/resource-cache.ts';
import type { StoredObject } from '../storage/stored-object.ts';

/** A write of an object, before it is prepared and validated. */
export interface AllocatingWrite {
	readonly definition: ResourceDefinition;
	/** Empty for the object itself. */
	readonly subresource: string;
	readonly object: KubeObject;
	/** The stored object; undefined for a create. */
	readonly old: KubeObject | undefined;
	readonly dryRun: boolean;
}

/** What was allocated for a write. */
export interface Allocated {
	readonly object: KubeObject;
	/** Called when the write has ended: then the stored Services show what it has taken, or it has taken nothing. */
	end(): void;
}

/**
 * Allocates the addresses and node ports of Services, as a stage of their writes (upstream: `beginCreate` and
 * `beginUpdate` in pkg/registry/core/service/storage). What is used is read from the caches of stored Services and
 * IPAddresses, which are all the state there is. What a write in progress takes is reserved until it has ended, so that two
 * writes never get the same value.
 */
export class ServiceAddresses {
	readonly #range: AddressRange;
	readonly #random: Random;
	readonly #cache: ResourceCache | undefined;
	readonly #ipAddresses: ResourceCache | undefined;
	readonly #cidrs: ResourceCache | undefined;
	/** What each stored Service has, by its key, as of the revision {@link #seenAt}. */
	readonly #held = new Map<string, Held>();
	readonly #addresses = new Counts();
	readonly #ports = new Counts();
	#seenAt = -1;

	constructor(
		cache: ObjectCache,
		{ range, random }: { readonly range: AddressRange; readonly random: Random },
	) {
		this.#range = range;
		this.#random = random;
		this.#cache = cache.stored(services.group, services.resource);
		this.#ipAddresses = cache.stored(ipAddresses.group, ipAddresses.resource);
		this.#cidrs = cache.stored(serviceCidrs.group, serviceCidrs.resource);
	}

	/** Returns undefined for writes that need no allocation. Throws Invalid, or InternalError if nothing is free. */
	begin({ definition, subresource, object, old, dryRun }: AllocatingWrite): Allocated | undefined {
		if (definition !== services || subresource !== '' || !isOfKind(object, services)) return undefined;
		this.#readStored();
		const pool = new Pool({
			addresses: allocatableRanges(this.#storedCidrs(), this.#range),
			ports: NODE_PORTS,
			isAddressUsed: (address) =>
				this.#addresses.has(address) || this.#ipAddresses?.get('', addressText(address)) !== undefined,
			isPortUsed: (port) => this.#ports.has(port),
			draw: (count) => Math.floor(this.#random.next() * count),
		});
		const service = allocated(object, old && isOfKind(old, services) ? old : undefined, pool);
		if (dryRun) return { object: service, end: () => undefined };
		const { taken } = pool;
		this.#add(taken);
		return { object: service, end: () => this.#remove(taken) };
	}

	#storedCidrs(): readonly ServiceCidr[] {
		const objects = (this.#cidrs?.all() ?? []).map(({ object }) => object);
		return objects.filter((object) => isOfKind(object, serviceCidrs));
	}

	/** Applies the changes since the last call; reads all Services if there were too many. */
	#readStored(): void {
		const cache = this.#cache;
		if (!cache || cache.changedAt === this.#seenAt) return;
		const changes = cache.window.changesAfter(this.#seenAt);
		if (changes) {
			for (const { before, now } of changes) this.#replace((now ?? before)?.key ?? '', now);
		} else {
			const stored = new Map(cache.all().map((each) => [each.key, each]));
			for (const key of [...this.#held.keys()]) if (!stored.has(key)) this.#replace(key, undefined);
			for (const [key, each] of stored) this.#replace(key, each);
		}
		this.#seenAt = cache.changedAt;
	}

	#replace(key: string, stored: StoredObject | undefined): void {
		const before = this.#held.get(key);
		if (before) this.#remove(before);
		this.#held.delete(key);
		const object = stored?.object;
		if (!object || !isOfKind(object, services)) return;
		const held = heldBy(object.spec);
		this.#held.set(key, held);
		this.#add(held);
	}

	#add({ addresses, ports }: Held): void {
		for (const address of addresses) this.#addresses.add(address);
		for (const port of ports) this.#ports.add(port);
	}

	#remove({ addresses, ports }: Held): void {
		for (const address of addresses) this.#addresses.remove(address);
		for (const port of ports) this.#ports.remove(port);
	}
}

function allocated(service: Service, old: Service | undefined, pool: Pool): Service {
	const result = allocateService(service, old, pool);
	if (result.type === 'allocated') return result.service;
	if (result.type === 'full') throw internalError(result.message);
	const { group, kind: resource } = services;
	throw invalid({ group, resource, name: service.metadata.name ?? '' }, result.errors);
}

/** How often each value is in use: once by a Service, and once more while the write that has stored it ends. */
class Counts {
	readonly #counts = new Map<number, number>();

	has(value: number): boolean {
		return this.#counts.has(value);
	}

	add(value: number): void {
		this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
	}

	remove(value: number): void {
		const count = this.#counts.get(value) ?? 0;
		if (count > 1) this.#counts.set(value, count - 1);
		else this.#counts.delete(value);
	}
}
