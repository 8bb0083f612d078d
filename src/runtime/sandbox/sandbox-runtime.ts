import { LauncherRuntime, type LauncherRuntimeOptions } from '../process/launcher-runtime.ts';
import { ImagePrograms, type ImageProgramsOptions } from './image-programs.ts';

/** The parts and settings of a {@link SandboxRuntime}. */
export type SandboxRuntimeOptions = Omit<LauncherRuntimeOptions, 'source' | 'withoutShim'> &
	ImageProgramsOptions;

/** The runtime of images without an engine: pulled, stored and run by stint itself. `start` rejects where that cannot be. */
export class SandboxRuntime extends LauncherRuntime {
	constructor(options: SandboxRuntimeOptions) {
		super({ ...options, source: new ImagePrograms(options) });
	}
}
