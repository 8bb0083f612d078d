import { Metrics } from '../../../src/base/metrics.ts';
import { SeededRandom } from '../../../src/base/testing/seeded-random.ts';
import { Client } from '../../../src/client/client.ts';
import { EventRecorder } from '../../../src/client/event-recorder.ts';
import { NodeAgent } from '../../../src/node/agent/agent.ts';
import { FakeRuntime } from '../../../src/runtime/fake/fake-runtime.ts';
import type { FaultyTransport } from '../faults/faulty-transport.ts';
import { GuardedRuntime } from '../faults/guarded-runtime.ts';
import { Observed } from '../oracles/observed.ts';
import type { PodOracle } from '../oracles/pod-oracle.ts';
import { ProcessLife } from '../oracles/process-life.ts';
import { equip, type Surroundings } from '../surroundings.ts';
import { simulatedExec, simulatedProgram } from '../users/program.ts';

/** What a {@link NodeHost} needs. */
export interface NodeHostOptions {
	readonly name: string;
	readonly surroundings: Surroundings;
	readonly podOracle: PodOracle;
	readonly logFolder: string;
}

/** A simulated machine: its container runtime and the process of its node agent, which fail separately. */
export class NodeHost {
	readonly name: string;
	readonly #options: NodeHostOptions;
	#runtime: FakeRuntime;
	#life: ProcessLife | undefined;
	#transport: FaultyTransport | undefined;
	#isOff = false;
	#isLostForEver = false;
	#unfollow: () => void = () => undefined;

	constructor(options: NodeHostOptions) {
		this.name = options.name;
		this.#options = options;
		this.#runtime = this.#boot();
	}

	/** The runtime of the machine since its last boot. */
	get runtime(): FakeRuntime {
		return this.#runtime;
	}

	/** Starts the agent, unless it runs already or the machine has no power. */
	start(): void {
		if (this.#life?.isAlive || this.#isOff) return;
		const { surroundings, name, logFolder } = this.#options;
		const { clock, trace, dice } = surroundings;
		const life = new ProcessLife(name, clock);
		this.#life = life;
		const { transport, scheduledKill, onError } = equip(surroundings, life, new Observed(clock));
		this.#transport = transport;
		const note = (what: string): void => trace.note(life.name, what);
		note('starts');
		life.onDeath(() => {
			note('is dead');
			clock.setTimer(dice.of(0, 500, 5000, 60_000), () => this.start());
		});
		const client = new Client(transport, { fieldManager: 'kubelet' });
		const report = (key: string) => (error: unknown) => onError('kubelet', key, error);
		const agent = new NodeAgent({
			client,
			clock: life,
			recorder: new EventRecorder({
				client,
				clock: life,
				component: 'kubelet',
				host: name,
				onError: report('event'),
			}),
			runtime: new GuardedRuntime({ life, runtime: this.#runtime, scheduledKill, note }),
			machine: { ...MACHINE, name },
			logFolder,
			random: new SeededRandom(1),
			metrics: new Metrics(),
			version: 'simulated',
			onError: (key, error) => onError('kubelet', key, error),
		});
		const ended = (): void => {
			note('has ended');
			life.die();
		};
		// An agent cannot start while its runtime is down: it ends then, and the timer of `onDeath` starts another.
		void agent.run(life.stopping).catch(report('start')).then(ended);
	}

	/** Kills the agent at once; containers keep running. */
	kill(): void {
		this.#life?.die();
	}

	/** Asks the agent to stop; containers keep running. */
	stop(): void {
		const { clock, violations } = this.#options.surroundings;
		const life = this.#life;
		if (!life?.isAlive) return;
		life.stop();
		clock.setTimer(LONGEST_END_MS, () => violations.check(!life.isAlive, 14, `${this.name} does not stop`));
	}

	/** Cuts the node off from the server for a while; containers keep running. */
	cutOff(forMs: number): void {
		const { clock, trace } = this.#options.surroundings;
		const transport = this.#transport;
		trace.note(this.name, `is cut off for ${forMs} ms`);
		transport?.cutOff();
		clock.setTimer(forMs, () => transport?.reconnect());
	}

	/** Ends {@link cutOff}. */
	reconnect(): void {
		this.#transport?.reconnect();
	}

	/** Kills the runtime with all containers, and restarts it a while later. */
	crashRuntime(forMs: number): void {
		const { clock, trace } = this.#options.surroundings;
		const runtime = this.#runtime;
		trace.note(this.name, `its runtime is down for ${forMs} ms`);
		runtime.crash();
		clock.setTimer(forMs, () => runtime.recover());
	}

	/** The machine loses power: the agent dies, and after the reboot the runtime has no state. */
	lose(forMs: number): void {
		const { surroundings, podOracle } = this.#options;
		if (this.#isOff) return;
		surroundings.trace.note(this.name, `loses power for ${forMs} ms`);
		this.#isOff = true;
		this.kill();
		this.#runtime.crash();
		this.#unfollow();
		podOracle.lose(this.name);
		surroundings.clock.setTimer(forMs, () => this.restore());
	}

	/** The machine is destroyed. */
	loseForEver(): void {
		this.#isLostForEver = true;
		this.lose(0);
	}

	/** Whether {@link loseForEver} was called. */
	get isLostForEver(): boolean {
		return this.#isLostForEver;
	}

	/** Boots the machine if it has no power, unless it was destroyed. */
	restore(): void {
		if (!this.#isOff || this.#isLostForEver) return;
		this.#isOff = false;
		this.#runtime = this.#boot();
		this.start();
	}

	/** A fresh runtime without containers, as after a reboot; the oracle follows it in place of the old one. */
	#boot(): FakeRuntime {
		const { surroundings, podOracle, name } = this.#options;
		const { clock, dice } = surroundings;
		const runtime = new FakeRuntime({ clock, random: dice, program: simulatedProgram, exec: simulatedExec });
		this.#unfollow = podOracle.follow(name, runtime);
		return runtime;
	}
}

const MACHINE = {
	...{ address: '127.0.0.1', cpus: 2, memoryBytes: 2 ** 33, diskBytes: 2 ** 33, maxPods: 110 },
	...{
		platform: 'linux',
		architecture: 'x64',
		kernel: '6',
		osImage: 'simulated',
		machineId: 'm',
		bootId: 'b',
		inUserNamespace: false,
	},
};

/** How long an orderly stop may take. Requests in flight can be slow, and they are waited for. */
const LONGEST_END_MS = 600_000;
