import { Timeline } from '../model/timeline';
import { Command } from './processes/child-output';
import { nodeScript, nodeScriptEnvironment } from './processes/node-script';
import { StartOptions, UsageError } from './start-options';

/** What an instance runs: the command given, or fairlead's own API. */
export function apiCommand({ command }: StartOptions): Command {
  return command ?? nodeScript(ownApi());
}

/** What all instances are told: an app that uses `serve()` follows the timeline, any other ignores it. */
export function apiEnvironment({ command }: StartOptions, timeline: Timeline): NodeJS.ProcessEnv {
  return {
    ...process.env,
    KEEP_ALIVE_TIMEOUT_SECONDS: String(timeline.keepAliveTimeout),
    REQUEST_TIMEOUT_SECONDS: String(timeline.requestTimeout),
    SHUTDOWN_TIMEOUT_SECONDS: String(timeline.apiShutdownTimeout),
    ...(command === undefined ? { ...nodeScriptEnvironment(ownApi()), DIAGNOSTIC_ENDPOINTS: 'true' } : {}),
  };
}

/** The repository has it; the package, which is for other APIs, has not. */
function ownApi(): string {
  try {
    return require.resolve('../api/src/main');
  } catch {
    throw new UsageError('--command is missing: give the program to run, such as --command "node server.js"');
  }
}
