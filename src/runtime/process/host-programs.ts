import { homedir, hostname as machineName } from 'node:os';
import type { ContainerConfig } from '../../api/contract/container-config.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { ContainerStartError, type PulledImage } from '../contract.ts';
import { processTraits, type RuntimeMachine } from './honoured.ts';
import { type ImageTable, imageRefOf } from './images/image-table.ts';
import type { HostProgram, HostSandboxConfig } from './launcher/protocol.ts';
import { podResolverFile, RESOLVER_FILE } from './network/resolver.ts';
import { type HostEnvironment, programOf } from './program.ts';
import type { ProgramSource, SourcedProgram, WantedContainer } from './program-source.ts';
import { boxOf, type HostUser } from './shim/box.ts';
import { HostUsers, userOfThisProcess } from './shim/host-users.ts';
import { type MachineProbe, probeMachine } from './shim/probe.ts';
import { filterFile } from './shim/shim-file.ts';
import type { ContainerBox } from './shim/shim-request.ts';

/** The parts of a {@link HostPrograms}. */
export interface HostProgramsOptions {
	readonly images: ImageTable;
	/** PATH and HOME for the containers. Default: those of this process. */
	readonly host?: HostEnvironment;
}

/** The programs of this machine: an image is a name for one of them, by the table of images. Nothing is pulled. */
export class HostPrograms implements ProgramSource {
	readonly name = 'process';
	readonly #options: HostProgramsOptions;
	readonly #users = new HostUsers();

	constructor(options: HostProgramsOptions) {
		this.#options = options;
	}

	async start(shim: string | undefined): Promise<MachineProbe> {
		return await probeMachine(shim);
	}

	traitsOn(machine: RuntimeMachine): RuntimeTraits {
		return processTraits(machine);
	}

	/** Downloads nothing. Rejects unless the image has an entry in the table. */
	async pull(image: string): Promise<PulledImage> {
		const status = await this.statusOf(image);
		if (!status) throw this.#options.images.missing(image);
		return { ...status, sizeBytes: 0 };
	}

	async statusOf(image: string): Promise<{ readonly imageRef: string } | undefined> {
		const entry = await this.#options.images.find(image);
		return entry ? { imageRef: imageRefOf(image) } : undefined;
	}

	async prepare(_id: string, wanted: WantedContainer): Promise<SourcedProgram> {
		const box = this.#boxOf(wanted);
		const { config } = wanted;
		return {
			program: await this.#programOf(wanted),
			imageRef: imageRefOf(config.image),
			...(box && { box }),
			...(config.stopSignal !== undefined && { stopSignal: config.stopSignal }),
		};
	}

	async release(): Promise<void> {}

	async releaseOthers(): Promise<void> {}

	async stop(): Promise<void> {}

	#boxOf({ config, sandbox, machine: { level, hasPids } }: WantedContainer): ContainerBox | undefined {
		const user = userOfThisProcess();
		if (!user) return undefined;
		const userById = (uid: number): HostUser | undefined => this.#users.byId(uid);
		return boxOf(withResolver(config, sandbox), sandbox, {
			level,
			hasPids,
			...user,
			filter: filterFile(),
			userById,
		});
	}

	async #programOf({ config, sandbox, machine }: WantedContainer): Promise<HostProgram> {
		const { images, host } = this.#options;
		const entry = await images.find(config.image);
		const { path = process.env.PATH, home = this.#homeOf(config, machine) } = host ?? {};
		const hostname = sandbox.hostname || machineName();
		const program = programOf(config, {
			hostname,
			entry,
			host: { path, home },
			hasNetwork: sandbox.podRange !== undefined,
		});
		if (program) return program;
		throw new ContainerStartError('CreateContainerError', images.missing(config.image).message);
	}

	/** The home of the user that the container runs as, who may be another one than this process's. */
	#homeOf({ security: { runAsUser } }: ContainerConfig, { level }: MachineProbe): string {
		if (runAsUser === undefined || level !== 'root') return homedir();
		return this.#users.byId(runAsUser)?.home ?? '/';
	}
}

/** The container with the configuration of names for a network of its own, where that is not the machine's. */
function withResolver(config: ContainerConfig, { podRange }: HostSandboxConfig): ContainerConfig {
	const hostPath = podRange === undefined ? RESOLVER_FILE : podResolverFile();
	if (hostPath === RESOLVER_FILE) return config;
	const how = { subPath: '', readOnly: true, recursiveReadOnly: 'Disabled', propagation: 'None' } as const;
	return { ...config, mounts: [...config.mounts, { hostPath, containerPath: RESOLVER_FILE, ...how }] };
}
