import type { Duplex } from '../../../api/contract/duplex.ts';
import type { PodNetworkTrait, RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import type { Clock } from '../../../base/clock.ts';
import { PortForwardError } from '../../contract.ts';
import { HOST_SOCKETS, type PodSockets } from '../../pod-sockets.ts';
import { PortConnections } from '../../port-connections.ts';
import type { RuntimeMachine } from '../honoured.ts';
import type { LauncherClient } from '../launcher/launcher-client.ts';
import type { HostSandbox } from '../launcher/protocol.ts';
import { dialSandbox } from '../sessions/dial-client.ts';
import type { IdRange, MachineProbe, SubordinateIds } from '../shim/probe.ts';
import { HostPorts } from './host-ports.ts';
import { choosePodNetwork, type PodNetworkWish } from './network-choice.ts';
import { NodeSockets } from './node/node-sockets.ts';
import type { NodeWish, OpenedNetwork } from './pod-bridge.ts';
import { DEFAULT_POD_RANGE, lastAddressOf, parseNetwork } from './pod-range.ts';

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
	readonly clock: Clock;
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

	/** The network of the node, if Pods have theirs there and not in that of this machine. */
	#node: { readonly sockets: NodeSockets; readonly idMaps: NodeWish['idMaps'] } | undefined;

	constructor(options: NetworkOptions) {
		this.#options = options;
		const { clock } = options;
		this.#hostPorts = new HostPorts({
			clock,
			connect: (to) => this.sockets.connect(to),
			datagramsTo: (host) => this.sockets.datagramsTo(host),
		});
	}

	/** By these, this process reaches Pods. */
	get sockets(): PodSockets {
		return this.#node?.sockets ?? HOST_SOCKETS;
	}

	/** Chooses what Pods get. Rejects with an Error that a user can read if the wish cannot be met. */
	async start(shim: string | undefined, machine: Pick<MachineProbe, 'level' | 'ids'>): Promise<void> {
		const { podNetwork = 'host', onPodNetwork, serviceRange, clock, onError } = this.#options;
		this.#choice = await choosePodNetwork(podNetwork, { shim, machine });
		if (this.#choice.kind === 'pod' && machine.level === 'user' && shim !== undefined)
			this.#node = {
				sockets: new NodeSockets({ shim, serviceRange, clock, onError }),
				idMaps: nodeMapsOf(machine.ids),
			};
		const services = parseNetwork(serviceRange ?? '');
		// In the network of an ordinary user's node this machine has no address.
		if (this.#choice.kind === 'pod' && !this.#node && services)
			// Which no Service gets.
			this.#choice = { ...this.#choice, nodeAddress: lastAddressOf(services) };
		onPodNetwork?.(this.#choice);
	}

	/** Adds what was chosen to the traits that `traitsOn` returns. */
	traitsWith(traitsOn: (facts: Pick<RuntimeMachine, 'hasPodNetworks'>) => RuntimeTraits): RuntimeTraits {
		// In the network of the node, a container has no right to change the settings of its Pod's network.
		const traits = traitsOn({ hasPodNetworks: this.#choice?.kind === 'pod' && !this.#node });
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
		if (podRange === undefined || !this.#mustOpen) return;
		this.#opening = this.#openBy(launcher, {
			podRange,
			...(serviceRange !== undefined && { serviceRange }),
		});
		this.#opening.catch((error: unknown) => {
			if (this.#isOpen) onError(error);
		});
	}

	async #openBy(launcher: Pick<LauncherClient, 'call'>, network: OpenedNetwork): Promise<void> {
		const { sockets, idMaps } = this.#node ?? {};
		const held = sockets?.held;
		const node = idMaps && { idMaps, ...(held !== undefined && { held }) };
		const podRange = sockets?.podRange ?? network.podRange;
		const opened = await launcher.call('openNetwork', { ...network, podRange, ...(node && { node }) });
		if (opened) await sockets?.use(opened);
	}

	/** Whether the launcher must make something before the first Pod. */
	get #mustOpen(): boolean {
		return (
			this.podRange !== undefined && (this.#options.serviceRange !== undefined || this.#node !== undefined)
		);
	}

	/** Resolves once the launcher has made it, which may change the traits. Rejects with an Error that a user can read. */
	async opened(connected: Promise<unknown>): Promise<void> {
		if (!this.#mustOpen) return;
		await connected;
		await this.#opening;
		this.#isOpen = true;
		const confined = this.#node?.sockets.confined;
		if (confined === undefined) return;
		this.#choice = { kind: 'pod', confined };
		this.#noteConfined(confined);
	}

	/** Notes a sandbox of the launcher, new or not. Rejects if one of its ports of this machine cannot be opened. */
	async note({ id, config, state, ip, network, confined }: HostSandbox): Promise<void> {
		if (confined !== undefined) this.#noteConfined(confined);
		if (!network || state !== 'ready') return;
		const { nodeAddress } = this.#choice?.kind === 'pod' ? this.#choice : {};
		await this.#hostPorts.open({ id, ip, ports: config.ports ?? [], nodeAddress });
	}

	#noteConfined(reason: string): void {
		if (!this.#isConfined) this.#options.onConfined?.(reason);
		this.#isConfined = true;
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
		this.#node?.sockets.stop();
	}
}

/** The maps of the user namespace that owns the network of the node: each id of a container has its own number there. */
function nodeMapsOf(ids: SubordinateIds | undefined): NodeWish['idMaps'] {
	const lines = (own: number, range: IdRange | undefined): string =>
		[`${own} ${own} 1`, ...(range ? [`${range.first} ${range.first} ${range.count}`] : [])].join('\n');
	return {
		uid: lines(process.geteuid?.() ?? 0, ids?.uids),
		gid: lines(process.getegid?.() ?? 0, ids?.gids),
	};
}
