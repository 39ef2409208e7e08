/* streams: connections, servers and child processes become the support
 * module's, with asyncio's readers and writers over AnyIO's streams. */
#include "migrate/rules/dropin.h"

static const char pulled[] =
    "data is read when it is asked for, not ahead of it";
static const char unowned[] = "what is written goes out in a task of its own";
static const char own_kind[] = "only code that was migrated knows this class";
static const char child[] =
    "its pipes are read when they are asked for, not ahead of it";

static const char *const stream_extras[] = {".transport",
                                            ".start_tls(",
                                            ".set_transport(",
                                            ".set_exception(",
                                            ".close_clients(",
                                            ".abort_clients(",
                                            NULL};

static const struct cn_dropin_row client = {
    .reason = "reader and writer become one stream, errors change class",
    .names =
        (const struct cn_dropin[]){
            {"asyncio.open_connection", "open_connection", pulled, 0},
            {"asyncio.open_unix_connection", "open_unix_connection", pulled, 0},
            {0}},
    .not_beside = stream_extras,
};

static const struct cn_dropin_row object = {
    .reason = "AnyIO's streams have send() and receive()",
    .names =
        (const struct cn_dropin[]){
            {"asyncio.StreamReader", "StreamReader", own_kind, 0},
            {"asyncio.StreamWriter", "StreamWriter", own_kind, 0},
            {0}},
    .not_beside = stream_extras,
};

static const struct cn_dropin_row server = {
    .reason = "a handler gets one stream, and its error ends the server",
    .names =
        (const struct cn_dropin[]){
            {"asyncio.start_server", "start_server", unowned, 0},
            {"asyncio.start_unix_server", "start_unix_server", unowned, 0},
            {"asyncio.Server", "Server", own_kind, 0},
            {"asyncio.AbstractServer", "Server", own_kind, 0},
            {0}},
    .not_beside = stream_extras,
};

static const struct cn_dropin_row error = {
    .reason = "it belongs to a stream",
    .names =
        (const struct cn_dropin[]){
            {"asyncio.IncompleteReadError", "IncompleteReadError", NULL, 0},
            {"asyncio.LimitOverrunError", "LimitOverrunError", NULL, 0},
            {0}},
};

static const struct cn_dropin_row process = {
    .reason = "AnyIO pipes what asyncio inherits, and raises on a bad exit "
              "status",
    .names = (const struct cn_dropin[]){{"asyncio.create_subprocess_exec",
                                         "create_subprocess_exec", child, 0},
                                        {"asyncio.create_subprocess_shell",
                                         "create_subprocess_shell", child, 0},
                                        {0}},
};

static const struct cn_dropin_row constant = {
    .reason = "it goes with the call that starts the process",
    .names =
        (const struct cn_dropin[]){
            {"asyncio.subprocess.PIPE", "subprocess.PIPE", NULL, 0},
            {"asyncio.subprocess.STDOUT", "subprocess.STDOUT", NULL, 0},
            {"asyncio.subprocess.DEVNULL", "subprocess.DEVNULL", NULL, 0},
            {0}},
};

static const struct cn_dropin_row process_object = {
    .reason = "its pipes are streams of bytes, without communicate()",
    .names =
        (const struct cn_dropin[]){
            {"asyncio.subprocess.Process", "Process", own_kind, 0}, {0}},
};

static const struct cn_rule rules[] = {
    {.code = "CN651",
     .name = "stream-client",
     .summary = "connections are the support module's reader and writer",
     .names =
         CN_NAMES("asyncio.open_connection", "asyncio.open_unix_connection"),
     .check = cn_dropin_check,
     .data = &client,
     .advice = "`stream = await anyio.connect_tcp(host, port)`; lines and "
               "exact reads: anyio.streams.buffered; a refused connection is a "
               "plain OSError"},
    {.code = "CN652",
     .name = "stream-object",
     .summary = "StreamReader and StreamWriter are the support module's",
     .names = CN_NAMES("asyncio.StreamReader", "asyncio.StreamWriter"),
     .check = cn_dropin_check,
     .data = &object,
     .advice = "await stream.send(data) for write() and drain(); receive(n) "
               "raises EndOfStream where read(n) gives b\"\"; `async for` "
               "gives chunks, not lines"},
    {.code = "CN653",
     .name = "stream-server",
     .summary = "servers are the support module's Server",
     .names = CN_NAMES("asyncio.start_server", "asyncio.start_unix_server",
                       "asyncio.Server", "asyncio.AbstractServer"),
     .check = cn_dropin_check,
     .data = &server,
     .advice = "`listener = await anyio.create_tcp_listener(local_port=p); "
               "await listener.serve(handle)`; catch errors inside the handler "
               "and close its stream"},
    {.code = "CN654",
     .name = "stream-error",
     .summary = "the streams' errors go with the streams",
     .names =
         CN_NAMES("asyncio.IncompleteReadError", "asyncio.LimitOverrunError"),
     .check = cn_dropin_check,
     .data = &error,
     .advice = "anyio.IncompleteRead for IncompleteReadError, "
               "anyio.DelimiterNotFound for LimitOverrunError"},
    {.code = "CN661",
     .name = "subprocess",
     .summary = "child processes are the support module's Process",
     .names = CN_NAMES("asyncio.create_subprocess_exec",
                       "asyncio.create_subprocess_shell"),
     .check = cn_dropin_check,
     .data = &process,
     .advice = "`result = await anyio.run_process([program, *args], "
               "check=False)` for communicate(); else "
               "anyio.open_process([...]) with stdin=, stdout= and stderr= "
               "written out"},
    {.code = "CN662",
     .name = "subprocess-constant",
     .summary = "the pipes' constants are subprocess's own",
     .names = CN_NAMES("asyncio.subprocess.PIPE", "asyncio.subprocess.STDOUT",
                       "asyncio.subprocess.DEVNULL"),
     .check = cn_dropin_check,
     .data = &constant,
     .advice = "subprocess.PIPE, subprocess.STDOUT, subprocess.DEVNULL"},
    {.code = "CN663",
     .name = "process-object",
     .summary = "asyncio's Process is the support module's",
     .names = CN_NAMES("asyncio.subprocess.Process"),
     .check = cn_dropin_check,
     .data = &process_object,
     .advice = "anyio.abc.Process has wait(), kill(), terminate() and "
               "returncode; read lines through anyio.streams.buffered"},
};

CN_FAMILY(streams);
