#include "stages/config_stage.hpp"

int main(int argc, char** argv) {
  return berth::stages::stage_main(berth::core::Stage::config, argc, argv,
                                   berth::stages::config_stage);
}
