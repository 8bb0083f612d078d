import type { Clock } from '../../../base/clock.ts';
import { LruMap } from '../../../base/collections/lru-map.ts';
import type { Random } from '../../../base/random.ts';
import type { ProxiedPort, ServiceTarget } from '../../../plan/service-proxy/proxied-port.ts';

/** How many client addresses a port with affinity remembers. */
const REMEMBERED_CLIENTS = 10_000;

/** What a {@link TargetChoice} needs. */
export interface TargetChoiceOptions {
	readonly clock: Pick<Clock, 'monotonic'>;
	readonly random: Pick<Random, 'next'>;
}

interface Remembered {
	readonly target: ServiceTarget;
	readonly atMs: number;
}

/** Chooses targets for the clients of one port: at random, or the target of the client's last connection. */
export class TargetChoice {
	readonly #options: TargetChoiceOptions;
	readonly #clients = new LruMap<Remembered>(REMEMBERED_CLIENTS);

	constructor(options: TargetChoiceOptions) {
		this.#options = options;
	}

	/** The targets for a connection of `client`, in the order in which to try them. */
	orderFor(client: string, { targets, affinitySeconds }: ProxiedPort): readonly ServiceTarget[] {
		const order = this.#shuffled(targets);
		if (affinitySeconds === undefined) return order;
		const remembered = this.#clients.get(client);
		const isFresh = remembered && this.#options.clock.monotonic() - remembered.atMs < affinitySeconds * 1000;
		const known = isFresh ? order.find((each) => isSame(each, remembered.target)) : undefined;
		return known ? [known, ...order.filter((each) => each !== known)] : order;
	}

	/** Notes that a connection of `client` reached `target`. */
	note(client: string, target: ServiceTarget, { affinitySeconds }: ProxiedPort): void {
		if (affinitySeconds === undefined) return;
		this.#clients.set(client, { target, atMs: this.#options.clock.monotonic() });
	}

	#shuffled(targets: readonly ServiceTarget[]): ServiceTarget[] {
		const order = [...targets];
		for (let end = order.length - 1; end > 0; end--) {
			const at = Math.floor(this.#options.random.next() * (end + 1));
			const [last, other] = [order[end], order[at]];
			if (last && other) [order[end], order[at]] = [other, last];
		}
		return order;
	}
}

function isSame(one: ServiceTarget, other: ServiceTarget): boolean {
	return one.address === other.address && one.port === other.port;
}
