import { Lifecycle } from '../../../src/base/lifecycle.ts';
import { Metrics } from '../../../src/base/metrics.ts';
import { SeededRandom } from '../../../src/base/testing/seeded-random.ts';
import { controlPlane } from '../../../src/main/server/control-plane.ts';
import type { FaultyTransport } from '../faults/faulty-transport.ts';
import { Observed } from '../oracles/observed.ts';
import { ProcessLife } from '../oracles/process-life.ts';
import { equip, type Surroundings } from '../surroundings.ts';

/** The process of controllers and scheduler. When it dies, another one is started a while later. */
export class ControlPlaneHost {
	readonly #surroundings: Surroundings;
	#life: ProcessLife | undefined;
	#transport: FaultyTransport | undefined;
	/** What the current process, or the last one, has received. */
	observed: Observed;

	constructor(surroundings: Surroundings) {
		this.#surroundings = surroundings;
		this.observed = new Observed(surroundings.clock);
	}

	/** Starts the process unless it runs. */
	start(): void {
		if (this.#life?.isAlive) return;
		const { clock, trace, dice } = this.#surroundings;
		const life = new ProcessLife('control plane', clock);
		this.#life = life;
		this.observed = new Observed(clock);
		const { transport, onError } = equip(this.#surroundings, life, this.observed);
		this.#transport = transport;
		trace.note(life.name, 'starts');
		life.onDeath(() => {
			trace.note(life.name, 'is dead');
			clock.setTimer(dice.of(0, 500, 5000, 60_000), () => this.start());
		});
		const ended = (): void => {
			trace.note(life.name, 'has ended');
			life.die();
		};
		const lifecycle = new Lifecycle({
			clock: life,
			signal: life.stopping,
			// Longer than the check in `stop` allows: otherwise the lifecycle would end a hanging control plane first.
			stopTimeoutMs: 4 * LONGEST_END_MS,
			onFailure: (error) => onError('control plane', 'run', error),
		});
		lifecycle.run(
			controlPlane({ transport, clock: life, random: new SeededRandom(1), metrics: new Metrics(), onError }),
		);
		void lifecycle.ended.then(ended);
	}

	/** Kills the process at once. */
	kill(): void {
		this.#life?.die();
	}

	/** Asks the process to stop; invariant 14 bounds the time that this may take. */
	stop(): void {
		const { clock, violations } = this.#surroundings;
		const life = this.#life;
		if (!life?.isAlive) return;
		life.stop();
		clock.setTimer(LONGEST_END_MS, () =>
			violations.check(!life.isAlive, 14, 'the control plane does not stop'),
		);
	}

	/** Cuts the process off from the server for a while. */
	cutOff(forMs: number): void {
		const { clock, trace } = this.#surroundings;
		const transport = this.#transport;
		trace.note('control plane', `is cut off for ${forMs} ms`);
		transport?.cutOff();
		clock.setTimer(forMs, () => transport?.reconnect());
	}

	/** Holds back the events of some watches for a while: those of one resource, or some of all resources. */
	lag(forMs: number): void {
		const { clock, trace, dice } = this.#surroundings;
		const transport = this.#transport;
		const resource = dice.of('pods', 'pods', 'jobs', 'cronjobs', 'nodes', undefined);
		trace.note('control plane', `${resource ?? 'something'} lags behind for ${forMs} ms`);
		transport?.lag((path) => (resource ? path.endsWith(`/${resource}`) : dice.chance(0.7)));
		clock.setTimer(forMs, () => transport?.catchUp());
	}

	/** Ends {@link cutOff}. */
	reconnect(): void {
		this.#transport?.reconnect();
	}
}

/** How long an orderly stop may take. Requests in flight can be slow, and they are waited for. */
const LONGEST_END_MS = 600_000;
