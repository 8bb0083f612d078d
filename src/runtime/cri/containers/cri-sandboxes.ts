/** The sandboxes of this server that the runtime has. The runtime keeps all that a later server needs: see sandbox-request.ts. */
import type { SandboxConfig, SandboxMetadata } from '../../../api/contract/sandbox-config.ts';
import type { Sandbox } from '../../contract.ts';
import { OWNER_LABEL } from '../../engines/owner.ts';
import { sandboxIdOf } from '../../ids.ts';
import { type CriClient, CriError, isNotFound } from '../client/cri-client.ts';
import { NAMESPACE, type PodSandbox, type PodSandboxConfig, SANDBOX_READY } from '../client/cri-messages.ts';
import { CRI } from '../client/cri-methods.ts';
import type { Read } from '../client/message.ts';
import { millisecondsOf } from './cri-state.ts';
import { readSandbox, type SandboxFacts, sandboxRequest } from './sandbox-request.ts';

/** A sandbox of the runtime. */
export interface CriSandbox {
	/** The runtime's id of it. */
	readonly criId: string;
	readonly metadata: SandboxMetadata;
	/** Undefined if it cannot be read: the sandbox counts as stopped then, so that the Pod gets another one. */
	readonly config: Read<typeof PodSandboxConfig> | undefined;
	readonly state: Sandbox['state'];
	readonly createdAt: number;
	readonly ip: string;
}

/** Where Pods with the network of this machine are. */
const LOOPBACK = '127.0.0.1';

/** What the sandboxes depend on. */
export interface CriSandboxesOptions {
	readonly client: CriClient;
	/** The facts for a new sandbox. */
	facts(): Promise<SandboxFacts>;
}

/** See the header of this file. */
export class CriSandboxes {
	readonly #options: CriSandboxesOptions;
	#byId: ReadonlyMap<string, CriSandbox> = new Map();

	constructor(options: CriSandboxesOptions) {
		this.#options = options;
	}

	/** The sandbox as it was last read. */
	get(id: string): CriSandbox | undefined {
		return this.#byId.get(id);
	}

	/** Reads all sandboxes from the runtime. */
	async list(): Promise<readonly Sandbox[]> {
		const { client } = this.#options;
		const { owner } = await this.#options.facts();
		const filter = { labelSelector: { [OWNER_LABEL]: owner.id } };
		const { items } = await client.call(CRI.listPodSandbox, { filter });
		const found = await Promise.all(
			items.map(async (item) => {
				const kept = readSandbox(item, owner);
				return kept ? [[sandboxIdOf(kept.metadata), await this.#completed(item, kept)] as const] : [];
			}),
		);
		this.#byId = new Map(found.flat());
		return Array.from(this.#byId, ([id, sandbox]) => sandboxFrom(id, sandbox));
	}

	/** Creates a sandbox, or returns the existing one. Rejects with an Error in the words of a kubelet. */
	async run(config: SandboxConfig): Promise<Sandbox> {
		const id = sandboxIdOf(config);
		const existing = this.#byId.get(id);
		if (existing) return sandboxFrom(id, existing);
		const { client } = this.#options;
		try {
			await client.call(CRI.runPodSandbox, { config: sandboxRequest(config, await this.#options.facts()) });
		} catch (error) {
			if (!(error instanceof CriError)) throw error;
			// An earlier call, of which the answer was lost, may have created it.
			const made = (await this.list()).find((sandbox) => sandbox.id === id);
			if (made?.state === 'ready') return made;
			// containerd keeps one whose network could not be made. If it cannot be removed either, the Pod gets a further one.
			if (made) await this.remove(id).catch(() => undefined);
			throw new Error(`rpc error: code = ${CODE_NAMES[error.code] ?? error.code} desc = ${error.message}`);
		}
		const made = (await this.list()).find((sandbox) => sandbox.id === id);
		if (made) return made;
		throw new Error(`the sandbox ${id} was removed from the container runtime`);
	}

	/** Stops a sandbox of which all containers have ended. */
	async stop(id: string): Promise<void> {
		const sandbox = this.#byId.get(id);
		if (!sandbox) return;
		await this.#callFor(sandbox, 'stopPodSandbox');
		this.#byId = new Map(this.#byId).set(id, { ...sandbox, state: 'stopped' });
	}

	/** Removes a sandbox that is stopped, with its containers. */
	async remove(id: string): Promise<void> {
		const sandbox = this.#byId.get(id);
		if (!sandbox) return;
		await this.#callFor(sandbox, 'removePodSandbox');
		this.#byId = new Map([...this.#byId].filter(([each]) => each !== id));
	}

	async #callFor(
		{ criId: podSandboxId }: CriSandbox,
		name: 'stopPodSandbox' | 'removePodSandbox',
	): Promise<void> {
		try {
			await this.#options.client.call(CRI[name], { podSandboxId });
		} catch (error) {
			if (!isNotFound(error)) throw error;
		}
	}

	/** The sandbox with its address, which lists do not have. */
	async #completed(
		{ id: criId, state, createdAt }: Read<typeof PodSandbox>,
		{ metadata, config }: NonNullable<ReturnType<typeof readSandbox>>,
	): Promise<CriSandbox> {
		const known = this.#byId.get(sandboxIdOf(metadata));
		const isKnown = known?.criId === criId;
		return {
			criId,
			metadata,
			config,
			createdAt: millisecondsOf(createdAt),
			state: state === SANDBOX_READY && config ? 'ready' : 'stopped',
			ip: isKnown ? known.ip : await this.#addressOf(criId, config),
		};
	}

	async #addressOf(podSandboxId: string, config: CriSandbox['config']): Promise<string> {
		if (config?.linux?.securityContext?.namespaceOptions?.network === NAMESPACE.node) return LOOPBACK;
		try {
			const { status } = await this.#options.client.call(CRI.podSandboxStatus, { podSandboxId });
			return status?.network?.ip || LOOPBACK;
		} catch (error) {
			if (isNotFound(error)) return LOOPBACK;
			throw error;
		}
	}
}

/** The names of gRPC's codes, as Go prints them. */
const CODE_NAMES: Readonly<Record<number, string>> = {
	2: 'Unknown',
	3: 'InvalidArgument',
	5: 'NotFound',
	6: 'AlreadyExists',
	7: 'PermissionDenied',
	8: 'ResourceExhausted',
	9: 'FailedPrecondition',
	10: 'Aborted',
	12: 'Unimplemented',
	13: 'Internal',
};

function sandboxFrom(id: string, { metadata, state, ip, createdAt }: CriSandbox): Sandbox {
	return { id, config: metadata, state, ip, createdAt };
}
