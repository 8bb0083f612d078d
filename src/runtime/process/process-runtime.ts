import { HostPrograms, type HostProgramsOptions } from './host-programs.ts';
import { LauncherRuntime, type LauncherRuntimeOptions } from './launcher-runtime.ts';

/** The parts and settings of a {@link ProcessRuntime}. */
export type ProcessRuntimeOptions = Omit<LauncherRuntimeOptions, 'source'> & HostProgramsOptions;

/** The runtime of host processes: containers are programs of this machine, isolated as far as it and the shim allow. */
export class ProcessRuntime extends LauncherRuntime {
	constructor(options: ProcessRuntimeOptions) {
		super({ ...options, source: new HostPrograms(options) });
	}
}
