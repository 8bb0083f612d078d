import type { Duplex } from '../../../api/contract/duplex.ts';
import type { PodNetworkTrait, RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import { PortForwardError } from '../../contract.ts';
import { PortConnections } from '../../port-connections.ts';
import type { RuntimeMachine } from '../honoured.ts';
import type { LauncherClient } from '../launcher/launcher-client.ts';
import type { HostSandbox } from '../launcher/protocol.ts';
import { dialSandbox } from '../sessions/dial-client.ts';
import type { MachineProbe } from '../shim/probe.ts';
import { HostPorts } from './host-ports.ts';
import { choosePodNetwork, type PodNetworkWish } from './network-choice.ts';
import { DEFAULT_POD_RANGE } from './pod-range.ts';

/** The settings about the networks of Pods. */
export interface NetworkOptions {
	/** Whose network Pods have. Default `host`: they have that of this machine. */
	readonly podNetwork?: PodNetworkWish;
	/** The addresses of Pods with networks of their own, unless this machine uses them. Default 10.244.0.0/16. */
	readonly podRange?: string;
	/** The addresses of Services, which are this machine's while Pods may have networks of their own. Default: none. */
	readonly serviceRange?: string;
	/** Called at the start with whose network Pods have. */
	onPodNetwork?(choice: PodNetworkTrait): void;
	/** Called at most once, if Pods with networks of their own reach no other machine, with the reason. */
	onConfined?(reason: string): void;
	/** Receives errors that no call can reject with. */
	onError(error: unknown): void;
}

/** The server's part of the networks of Pods: which ones they get, and the ports by which they are reached. */
export class RuntimeNetworks {
	readonly #options: NetworkOptions;
	readonly #connections = new PortConnections();
	readonly #hostPorts: HostPorts;
	#choice: PodNetworkTrait | undefined;
	#isConfined = false;
	/** Whether {@link opened} has resolved: later failures are only reported. */
	#isOpen = false;
	/** The last call that opened the network; undefined if none is needed. */
	#opening: Promise<void> | undefined;

	constructor(options: NetworkOptions) {
		this.#options = options;
		this.#hostPorts = new HostPorts(options.onError);
	}

	/** Chooses what Pods get. Rejects with an Error that a user can read if the wish cannot be met. */
	async start(shim: string | undefined, machine: Pick<MachineProbe, 'level'>): Promise<void> {
		const { podNetwork = 'host', onPodNetwork } = this.#options;
		this.#choice = await choosePodNetwork(podNetwork, { shim, machine });
		onPodNetwork?.(this.#choice);
	}

	/** Adds what was chosen to the traits that `traitsOn` returns. */
	traitsWith(traitsOn: (facts: Pick<RuntimeMachine, 'hasPodNetworks'>) => RuntimeTraits): RuntimeTraits {
		const traits = traitsOn({ hasPodNetworks: this.#choice?.kind === 'pod' });
		return this.#choice ? { ...traits, podNetwork: this.#choice } : traits;
	}

	/** The range of addresses for Pods with networks of their own; undefined: they have that of this machine. */
	get podRange(): string | undefined {
		return this.#choice?.kind === 'pod' ? (this.#options.podRange ?? DEFAULT_POD_RANGE) : undefined;
	}

	/** Lets the launcher that was connected make what Pods and Services share, before it makes a Pod's network. */
	open(launcher: Pick<LauncherClient, 'call'>): void {
		const { podRange } = this;
		const { serviceRange, onError } = this.#options;
		if (podRange === undefined || serviceRange === undefined) return;
		this.#opening = launcher.call('openNetwork', { podRange, serviceRange });
		this.#opening.catch((error: unknown) => {
			if (this.#isOpen) onError(error);
		});
	}

	/** Resolves once the addresses of Services are this machine's, if they have to be. Rejects with an Error that a user can read. */
	async opened(connected: Promise<unknown>): Promise<void> {
		if (this.podRange === undefined || this.#options.serviceRange === undefined) return;
		await connected;
		await this.#opening;
		this.#isOpen = true;
	}

	/** Notes a sandbox of the launcher, new or not. */
	note({ id, config, state, ip, network, confined }: HostSandbox): void {
		if (network && state === 'ready') this.#hostPorts.open({ id, ip, ports: config.ports ?? [] });
		if (confined === undefined || this.#isConfined) return;
		this.#isConfined = true;
		this.#options.onConfined?.(confined);
	}

	/** Connects to a port of the loopback address of one of `sandboxes`, by the launcher of `folder`. Rejects as Runtime.portForward. */
	async dial(
		sandboxes: readonly HostSandbox[],
		{
			folder,
			sandboxId,
			port,
		}: { readonly folder: string; readonly sandboxId: string; readonly port: number },
	): Promise<Duplex> {
		const sandbox = sandboxes.find(({ id }) => id === sandboxId);
		if (sandbox?.state !== 'ready') throw new PortForwardError(`sandbox ${sandboxId} is not ready`);
		if (!sandbox.network) return await this.#connections.dial(sandboxId, port);
		return this.#connections.keep(sandboxId, await dialSandbox(folder, { sandboxId, port }));
	}

	/** Closes the ports of a sandbox that ends. */
	forget(sandboxId: string): void {
		this.#connections.close(sandboxId);
		this.#hostPorts.close(sandboxId);
	}

	/** Closes the ports of this machine. */
	stop(): void {
		this.#hostPorts.closeAll();
	}
}
