-- Requests each of the paths in the file `paths` in turn.
local requests = require("requests")

local all, turn = {}, 0

function init(args)
	for i, path in ipairs(requests.lines(requests.arguments(args).paths)) do all[i] = requests.get(path) end
end

function request()
	turn = turn % #all + 1
	return all[turn]
end
