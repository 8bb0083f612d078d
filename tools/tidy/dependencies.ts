import { DEPENDENCIES } from './law.ts';
import type { Source } from './sources.ts';

/** The parts of package.json that name packages. */
export interface Manifest {
	readonly dependencies: Readonly<Record<string, string>>;
	readonly optionalDependencies: Readonly<Record<string, string>>;
	readonly devDependencies: Readonly<Record<string, string>>;
}

/** The packages without a reason in {@link DEPENDENCIES} or without a use, and imports of undeclared ones. */
export function dependencyFaults(manifest: Manifest, sources: readonly Source[]): readonly string[] {
	const declared = Object.keys({
		...manifest.dependencies,
		...manifest.optionalDependencies,
		...manifest.devDependencies,
	});
	const found = declared
		.filter((name) => !(name in DEPENDENCIES))
		.map((name) => `${name} has no reason in law.ts`);
	for (const name of Object.keys(DEPENDENCIES))
		if (!declared.includes(name)) found.push(`${name} is not in package.json`);
	const unused = new Set(Object.keys(manifest.dependencies));
	for (const { path, imports } of sources) {
		for (const { target, relative } of imports) {
			if (relative || target.startsWith('node:')) continue;
			const name = packageOf(target);
			if (!unused.delete(name) && !(name in manifest.dependencies)) found.push(`${path} imports ${target}`);
		}
	}
	for (const name of unused) found.push(`${name} is imported by nothing`);
	return found;
}

function packageOf(specifier: string): string {
	return specifier
		.split('/')
		.slice(0, specifier.startsWith('@') ? 2 : 1)
		.join('/');
}
