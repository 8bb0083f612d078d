/**
 * Generates the two files of the published package that are not in the checkout: its package.json, and the
 * licences of the bundled libraries, which these require to be distributed. Usage: package-files.ts FOLDER
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
	readonly version: string;
	readonly license: string;
	readonly [field: string]: unknown;
}

interface LockedPackage {
	readonly dev?: boolean;
	readonly optional?: boolean;
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

const [folder = ''] = process.argv.slice(2);
const { name, version, description, license, bin } = readJson('package.json') as Manifest;
const manifest = {
	name,
	version,
	description,
	license,
	keywords: ['kubernetes', 'job', 'cronjob', 'batch', 'kubectl'],
	bin,
	engines: { node: '>=24' },
	os: ['linux', 'darwin'],
};
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, '\t')}\n`);

const { packages } = readJson('package-lock.json') as { packages: Readonly<Record<string, LockedPackage>> };
const bundled = Object.entries(packages)
	.filter(([path, { dev, optional }]) => path !== '' && !dev && !optional)
	.map(([path]) => path);
const temporal = ['temporal-polyfill', 'temporal-utils'].map((each) => `node_modules/${each}`);
writeFileSync(
	join(folder, 'dist/THIRD-PARTY-LICENSES.txt'),
	[...bundled, ...temporal].map(licenceOf).join('\n\n'),
);

/**
 * Name, version and licence of an installed package: the text of its licence file, or the name in its
 * package.json.
 */
function licenceOf(path: string): string {
	const found = readJson(join(path, 'package.json')) as Manifest;
	const [file] = globSync(join(path, '{LICENSE,LICENCE,License,license}*'));
	const text = file ? readFileSync(file, 'utf8').trim() : `Licence: ${found.license}`;
	return `${found.name} ${found.version}\n\n${text}\n`;
}
