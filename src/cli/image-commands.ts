/** The flags of `images` and of its commands: see images/. */

import { type Command, Option } from 'commander';
import type { CliContext } from './context.ts';
import type { ImageFolderFlags } from './images/local-images.ts';
import type { Perform } from './perform.ts';

/** Adds the commands of `images`. Without one of them, it lists the images, as `docker images` does. */
export function registerImages(command: Command, context: CliContext, perform: Perform): void {
	// These may stand before or after the name of a command.
	command
		.option('--data-dir <dir>', 'data folder of the server (default: that of stint server)')
		.option('--image-dir <dir>', 'folder of the images (default: images in the data folder)')
		.configureHelp({ ...command.configureHelp(), showGlobalOptions: true })
		// Otherwise an unknown command would be a word too many for `ls`.
		.hook('preSubcommand', ({ args: [word = '-'] }) => {
			const names = command.commands.flatMap((each) => [each.name(), ...each.aliases()]);
			if (!word.startsWith('-') && !names.includes(word))
				command.error(`error: unknown command '${word}'`, { code: 'commander.unknownCommand' });
		});
	const parts: Parts = {
		context,
		perform,
		withFolder: (own) => ({ ...command.opts<ImageFolderFlags>(), ...own }),
		add: (name, description) => command.command(name, { isDefault: name === 'ls' }).description(description),
	};
	registerSources(parts);
	registerStored(parts);
}

interface Parts {
	readonly context: CliContext;
	readonly perform: Perform;
	/** The flags of a command with those of `images`. */
	withFolder<Flags extends object>(own: Flags): ImageFolderFlags & Flags;
	add(name: string, description: string): Command;
}

/** Where images come from, and where they go. */
function registerSources({ context, perform, withFolder, add }: Parts): void {
	add('pull', 'pull images from their registries')
		.argument('<names...>', 'names of images')
		.option('-q, --quiet', 'print only the names of the images')
		.action((names: string[], flags) =>
			perform(async () =>
				(await import('./images/pull-images.ts')).pullImages(context, names, withFolder(flags)),
			),
		);
	add('load', 'add the images of an archive, as docker save writes it, or of an OCI image layout')
		.option('-i, --input <file>', 'the archive; - for standard input', '-')
		.option('-q, --quiet', 'print the ids of the images only')
		.action((flags) =>
			perform(async () => (await import('./images/load-images.ts')).loadArchive(context, withFolder(flags))),
		);
	add('save', 'write images to an archive that docker load reads')
		.argument('<words...>', 'names or ids of images')
		.option('-o, --output <file>', 'the archive (default: standard output)')
		.action((words: string[], flags) =>
			perform(async () =>
				(await import('./images/save-images.ts')).saveArchive(context, words, withFolder(flags)),
			),
		);
}

/** The images of the store. */
function registerStored({ context, perform, withFolder, add }: Parts): void {
	add('ls', 'list images')
		.alias('list')
		.option('-o, --output <form>', 'output format: json or name')
		.option('-q, --quiet', 'print ids only')
		.option('--no-trunc', 'print whole ids')
		.action((flags) =>
			perform(async () => (await import('./images/list-images.ts')).listImages(context, withFolder(flags))),
		);
	add('rm', 'remove images')
		.alias('rmi')
		.argument('<words...>', 'names or ids of images')
		.option('-f, --force', 'remove the names of images in use, and images with several names by their id')
		.action((words: string[], flags) =>
			perform(async () =>
				(await import('./images/remove-images.ts')).removeImages(context, words, withFolder(flags)),
			),
		);
	add('prune', 'remove images without a name that no container uses')
		.option('-a, --all', 'also images with names')
		.addOption(new Option('-f, --force', 'for scripts: stint never asks').hideHelp())
		.action((flags) =>
			perform(async () => (await import('./images/prune-images.ts')).pruneImages(context, withFolder(flags))),
		);
	add('tag', 'give an image a further name')
		.argument('<source>', 'name or id of the image')
		.argument('<target>', 'its further name')
		.action((source: string, target: string, flags) =>
			perform(async () =>
				(await import('./images/tag-image.ts')).tagImage(context, { source, target }, withFolder(flags)),
			),
		);
}
